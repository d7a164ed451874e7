using System.Globalization;
using System.Text;

namespace NicHost.GuestBench;

/// <summary>Collects figures and prints medians, each as a ratio to ours.</summary>
internal sealed class ResultTable
{
    public const string Ours = "nichost";

    private readonly List<(string Guest, string Contender, string Row, double Value)> _samples = [];

    public void Add(string guest, string contender, string row, double value) => _samples.Add((guest, contender, row, value));

    public string Render()
    {
        var text = new StringBuilder();
        foreach (var guest in _samples.GroupBy(s => s.Guest))
        {
            var contenders = guest.Select(s => s.Contender).Distinct().OrderBy(c => c != Ours).ToArray();
            text.Append(CultureInfo.InvariantCulture, $"\n{guest.Key,-34}");
            foreach (var contender in contenders) text.Append(CultureInfo.InvariantCulture, $"{contender,12}{(contender == Ours ? "" : "   ours is"),10}");
            text.AppendLine();
            foreach (var row in guest.GroupBy(s => s.Row))
            {
                text.Append(CultureInfo.InvariantCulture, $"  {row.Key,-32}");
                var ours = Median(row.Where(s => s.Contender == Ours));
                foreach (var contender in contenders)
                {
                    var value = Median(row.Where(s => s.Contender == contender));
                    var ratio = contender == Ours || ours is null || value is null or 0 ? "" : $"{ours / value:0.00}x";
                    text.Append(CultureInfo.InvariantCulture, $"{(value is null ? "-" : value.Value.ToString("N0", CultureInfo.InvariantCulture)),12}{ratio,10}");
                }
                text.AppendLine();
            }
        }
        return text.ToString();
    }

    private static double? Median(IEnumerable<(string, string, string, double Value)> samples)
    {
        var sorted = samples.Select(s => s.Value).Order().ToArray();
        return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
