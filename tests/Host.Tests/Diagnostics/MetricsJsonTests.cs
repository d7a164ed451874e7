using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Topology;

namespace NicHost.Host.Tests.Diagnostics;

public sealed class MetricsJsonTests
{
    [Fact]
    public void Families_samples_and_labels_are_what_was_written()
    {
        var writer = new PrometheusWriter();
        writer.Family("frames_total", "Frames,\nof \"all\" \\ kinds.", MetricKind.Counter);
        writer.Sample("frames_total", Labels.Fixed([new("vm", "a b"), new("nic", "x\"}\\\n,y=\"")]), 3);
        writer.Sample("frames_total", "", double.NaN);
        writer.Family("size", "", MetricKind.Histogram);
        writer.Sample("size_bucket", "le=\"+Inf\"", 1e300);
        Assert.Equal("""
            [{"name":"frames_total","type":"counter","help":"Frames,\nof \"all\" \\ kinds.","samples":[{"name":"frames_total","labels":{"vm":"a b","nic":"x\"}\\\n,y=\""},"value":3},{"name":"frames_total","labels":{},"value":null}]},{"name":"size","type":"histogram","help":"","samples":[{"name":"size_bucket","labels":{"le":"+Inf"},"value":1E+300}]}]
            """, JsonText.Line(MetricsJson.Of(writer.Take())));
    }
}
