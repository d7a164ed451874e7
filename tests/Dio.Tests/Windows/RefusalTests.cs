using NicHost.Dio.Tests.Rig;
using NicHost.Dio.Windows;

namespace NicHost.Dio.Tests.Windows;

/// <summary>What does not work, each with its own message, and nothing half-made afterwards.</summary>
public sealed class RefusalTests
{
    private const string Default = """{"kind":"dio"}""";
    private const string Lab = """{"kind":"dio","switch":{"name":"lab"}}""";
    private const string LabById = """{"kind":"dio","switch":{"name":"11111111-2222-3333-4444-555555555555"}}""";
    private const string TheirPort = """{"kind":"dio","port":{"id":"aaaaaaaa-0000-0000-0000-000000000001"}}""";
    private static readonly Guid Their = new("aaaaaaaa-0000-0000-0000-000000000001");

    [Theory]
    [InlineData(Lab, "There is no switch \"lab\". This host has \"Default Switch\".")]
    [InlineData(LabById, "There is no switch 11111111-2222-3333-4444-555555555555. This host has \"Default Switch\".")]
    [InlineData(TheirPort, "There is no port aaaaaaaa-0000-0000-0000-000000000001 of switch \"Default Switch\".")]
    public void What_is_not_there_is_named(string options, string message) => AssertRefused(new FakeVmSwitch(), options, message);

    [Fact]
    public void Host_without_a_default_switch_says_so()
    {
        var windows = new FakeVmSwitch();
        windows.Properties.Clear();
        AssertRefused(windows, Default, "There is no Default Switch; Windows Server has none.");
        AssertRefused(windows, Lab, "This host has none: make one with New-VMSwitch.");
    }

    [Theory]
    [InlineData(nameof(IVmSwitch.Network), "ask for the host's switches")]
    [InlineData(nameof(IVmSwitch.MakePort), "make a port of switch \"Default Switch\"")]
    [InlineData(nameof(IVmSwitch.MakeNic), "make a NIC")]
    [InlineData(nameof(IVmNic.Connect), "connect a NIC to a port of switch \"Default Switch\"")]
    public void Without_rights_the_remedy_is_told(string call, string what)
    {
        foreach (var code in new[] { WindowsError.AccessDenied, unchecked((int)0x80070005) })
        {
            var windows = new FakeVmSwitch { Refusals = { [call] = code } };
            AssertRefused(windows, Default, $"Our user may not {what}: ");
            AssertRefused(windows, Default, "Run the host as an administrator.");
        }
    }

    [Theory]
    [InlineData(nameof(IVmSwitch.MakePort), 1450, "Cannot make a port of switch \"Default Switch\": MakePort: Windows error 1450.")]
    [InlineData(nameof(IVmSwitch.MakeNic), 87, "Cannot make a NIC: MakeNic: Windows error 87.")]
    [InlineData(nameof(IVmNic.Connect), 31, "Cannot connect a NIC to a port of switch \"Default Switch\": Connect: Windows error 31.")]
    [InlineData(nameof(IVmNic.Connect), WindowsError.Timeout, "a port of switch \"Default Switch\" did not connect in time.")]
    [InlineData(nameof(IVmSwitch.Network), unchecked((int)0x803b0010), "HcnOpenNetwork")]
    public void Any_other_refusal_says_which_call(string call, int code, string message)
    {
        if (call == nameof(IVmSwitch.Network)) message = "Cannot ask for the host's switches: Network: Windows error 0x803b0010.";
        AssertRefused(new FakeVmSwitch { Refusals = { [call] = code } }, Default, message);
    }

    [Fact]
    public void Port_that_is_taken_is_refused_and_free_again_afterwards()
    {
        var windows = new FakeVmSwitch { Ports = { [Their] = false } };
        using (var first = Bench.Started(TheirPort, factory: windows.Factory))
        {
            Assert.Contains("port aaaaaaaa-0000-0000-0000-000000000001 of switch \"Default Switch\" is taken by another NIC.", Bench.Refusal(TheirPort, factory: windows.Factory), StringComparison.Ordinal);
            Assert.True(first.Endpoint.Link.IsUp);
        }
        using var second = Bench.Started(TheirPort, factory: windows.Factory);
        Assert.True(second.Endpoint.Link.IsUp);
    }

    [Fact]
    public void Two_switches_of_one_name_are_told_apart_by_id()
    {
        var windows = new FakeVmSwitch();
        windows.AddNetwork(new Guid("11111111-2222-3333-4444-555555555555"), "lab");
        windows.AddNetwork(new Guid("66666666-2222-3333-4444-555555555555"), "LAB");
        AssertRefused(windows, Lab, "2 switches are called \"lab\". Name one by its id: 11111111-2222-3333-4444-555555555555, 66666666-2222-3333-4444-555555555555.");
        using var bench = Bench.Started(LabById, factory: windows.Factory);
        Assert.Equal("lab", bench.Inspect().Children.Single(child => child.Name == "switch").Value);
    }

    [Fact]
    public void Switch_is_found_by_its_name_and_plugged_into_by_its_own_id()
    {
        var windows = new FakeVmSwitch();
        windows.AddNetwork(new Guid("11111111-2222-3333-4444-555555555555"), "net of lab", ""","SwitchName":"Lab","SwitchGuid":"99999999-2222-3333-4444-555555555555" """);
        windows.Properties[new Guid("99999999-2222-3333-4444-555555555555")] = "{}";
        using var bench = Bench.Started(Lab, factory: windows.Factory);
        Assert.Contains("port made in 99999999-2222-3333-4444-555555555555", windows.Log);
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[\"x\"]")]
    [InlineData("")]
    public void List_that_is_not_understood_is_refused(string answer) => AssertRefused(new FakeVmSwitch { ListAnswer = answer }, Lab, "(HCN) answered what is not understood here.");

    [Fact]
    public void Network_that_is_not_understood_is_refused()
    {
        var windows = new FakeVmSwitch { Properties = { [SwitchFinder.DefaultSwitch] = "[]" } };
        AssertRefused(windows, Default, "(HCN) answered what is not understood here.");
    }

    [Fact]
    public void Windows_without_Hyper_V_is_told_how_to_get_it()
    {
        AssertRefused(new FakeVmSwitch { Missing = new DllNotFoundException("vmsif.dll") }, Default, "this Windows has no Hyper-V (vmsif.dll). Turn it on:");
        AssertRefused(new FakeVmSwitch { Missing = new EntryPointNotFoundException("VmsIfNicConnect") }, Default, "another vmswitch than is known here (VmsIfNicConnect).");
    }

    [Fact]
    public void Mtu_beyond_a_ports_is_refused_when_the_topology_is_checked_and_at_start()
    {
        var windows = new FakeVmSwitch();
        using (var bench = new Bench(Default, 9000, windows.Factory)) Assert.Equal(1500, bench.Endpoint.Capabilities.MaxMtu);
        Assert.Contains("An MTU of 9000 does not fit: a port for direct I/O carries 1500.", Bench.Refusal(Default, 9000, windows.Factory), StringComparison.Ordinal);
        Assert.Empty(windows.Log);
    }

    [Fact]
    public void Port_of_the_management_stack_is_claimed_and_nothing_is_to_be_prepared()
    {
        var factory = new FakeVmSwitch().Factory;
        using var theirs = new Bench(TheirPort, factory: factory);
        using var any = new Bench(Default, factory: factory);
        Assert.Equal(["switch port aaaaaaaa-0000-0000-0000-000000000001"], factory.Claims(theirs.Context).Select(claim => claim.Resource));
        Assert.Empty(factory.Claims(any.Context));
        Assert.Contains("nothing to prepare", factory.Prepare(any.Context, 0).Single(), StringComparison.Ordinal);
        Assert.Contains("nothing to prepare", factory.Undo(any.Context).Single(), StringComparison.Ordinal);
    }

    private static void AssertRefused(FakeVmSwitch windows, string options, string message)
    {
        Assert.Contains(message, Bench.Refusal(options, factory: windows.Factory), StringComparison.Ordinal);
        Assert.Empty(windows.Ports);
        Assert.All(windows.Nics, nic => Assert.True(nic.IsClosed));
    }
}
