using System.Text.Json;
using NicHost.Contracts.Options;

namespace NicHost.NetVsp.Tests;

public sealed class NetVspOptionsTests
{
    [Fact]
    public void Every_fault_is_told_at_once_with_its_place()
    {
        var faults = new List<OptionFault>();
        NetVspOptionsCheck.Model.Check(Parse("""{"socket":"","queues":17,"socketMode":"rw","vmbusVersion":"7.0","nvspVersion":"3"}"""), faults);
        Assert.Equal(["$.socket", "$.queues", "$.socketMode", "$.vmbusVersion", "$.nvspVersion"], faults.Select(fault => fault.Path));
        Assert.All(faults, fault => Assert.NotEmpty(fault.Remedy));
        Assert.Contains("Use 1 to 16.", faults[1].Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Socket_of_more_bytes_than_the_kernel_takes_is_told()
    {
        var faults = new List<OptionFault>();
        NetVspOptionsCheck.Model.Check(Parse($$"""{"socket":"/{{new string('a', 107)}}"}"""), faults);
        Assert.Equal("The path has 108 bytes.", Assert.Single(faults).Message);
    }

    [Fact]
    public void Relative_socket_is_a_path_of_the_file_that_it_stands_in()
    {
        var moved = NetVspOptionsCheck.Model.MapPaths(Parse("""{"kind":"netvsp","socket":"vm.sock"}"""), (option, path) => $"{option} {path}");
        Assert.Equal("$.socket vm.sock", (string?)moved["socket"]);
    }

    [Fact]
    public void Range_of_the_queues_is_in_the_schema()
    {
        var queues = NetVspOptionsCheck.Model.Schema()["properties"]!["queues"]!;
        Assert.Equal((1, 16), ((int)(double)queues["minimum"]!, (int)(double)queues["maximum"]!));
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
