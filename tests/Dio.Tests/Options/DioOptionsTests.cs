using System.Text.Json;
using NicHost.Contracts.Options;
using NicHost.Dio.Options;
using NicHost.Dio.Tap;

namespace NicHost.Dio.Tests.Options;

public sealed class DioOptionsTests
{
    [Theory]
    [InlineData("""{}""", "$.nic: No TAP is named.")]
    [InlineData("""{"nic":{"name":"a-name-too-long-0"}}""", "$.nic.name: \"a-name-too-long-0\" has 17 bytes.")]
    [InlineData("""{"nic":{"name":"a/b"}}""", "$.nic.name: \"a/b\" cannot be an interface's name.")]
    [InlineData("""{"nic":{"name":"tap%d"}}""", "$.nic.name: \"tap%d\" cannot be an interface's name.")]
    [InlineData("""{"nic":{"name":"--db=x"}}""", "$.nic.name: \"--db=x\" cannot be an interface's name.")]
    [InlineData("""{"nic":{"name":"a","socket":"/run/x"}}""", "$.nic.socket: A TAP is named and one is to be passed.")]
    [InlineData("""{"nic":{"socket":""}}""", "$.nic.socket: This is not a path.")]
    [InlineData("""{"nic":{"name":"a","queues":0}}""", "$.nic.queues: 0 is out of range.")]
    [InlineData("""{"nic":{"socket":"/run/x","create":true}}""", "$.nic.create: A TAP that is passed is not made here.")]
    [InlineData("""{"nic":{"name":"a"},"switch":{"name":"a"}}""", "$.switch.name: \"a\" is the NIC's name too.")]
    [InlineData("""{"nic":{"name":"a","create":true},"switch":{"name":"b","type":"openvswitch","create":true}}""", "$.switch.create: An Open vSwitch bridge is not made here.")]
    [InlineData("""{"nic":{"name":"a"},"switch":{"name":"b","addresses":["192.0.2.1/24"]}}""", "$.switch.addresses: A switch that is not made here keeps its addresses.")]
    [InlineData("""{"nic":{"name":"a","create":true},"switch":{"name":"b","create":true,"addresses":["192.0.2.1"]}}""", "$.switch.addresses[0]: \"192.0.2.1\" is not an address with its prefix.")]
    [InlineData("""{"nic":{"name":"a"},"switch":{"name":"b","create":true}}""", "$.switch.create: A switch is made, but nothing is plugged into it.")]
    [InlineData("""{"nic":{"name":"a"},"port":{"create":true}}""", "$.port.create: There is no switch to make a port of.")]
    [InlineData("""{"nic":{"name":"a"},"port":{"isolated":true}}""", "$.port: A port that is not made here keeps its settings.")]
    [InlineData("""{"nic":{"name":"a","create":true},"switch":{"name":"b"},"port":{"taggedVlans":[5,5000]}}""", "$.port.taggedVlans[1]: 5000 is not a VLAN.")]
    [InlineData("""{"nic":{"name":"a","create":true},"switch":{"name":"b"},"port":{"vlan":4095}}""", "$.port.vlan: 4095 is out of range.")]
    [InlineData("""{"nic":{"name":"a"},"port":{"id":"x"}}""", "$.port.id: Ports have ids on Windows only.")]
    public void Fault_is_found_at_its_place(string options, string expected) =>
        Assert.Contains(Faults(options), fault => $"{fault.Path}: {fault.Message}".StartsWith(expected, StringComparison.Ordinal) && fault.Remedy.Length > 0);

    [Theory]
    [InlineData("""{"nic":{"name":"web0"}}""")]
    [InlineData("""{"nic":{"name":"web0"},"switch":{"name":"br0"}}""")]
    [InlineData("""{"nic":{"name":"web0","create":true},"switch":{"name":"br0","create":true},"port":{"vlan":5,"taggedVlans":[6,7],"isolated":true,"learning":false}}""")]
    [InlineData("""{"nic":{"socket":"/run/web0.sock"}}""")]
    [InlineData("""{"nic":{"name":"web0","create":true},"switch":{"name":"ovs0","type":"openvswitch"},"port":{"vlan":5}}""")]
    public void Form_that_is_documented_is_accepted(string options) => Assert.Empty(Faults(options));

    [Fact]
    public void Windows_has_faults_of_its_own()
    {
        var faults = new List<OptionFault>();
        DioSettings.CheckWindows(new DioOptions { Switch = new SwitchOptions { Name = "", Create = true, Type = SwitchType.OpenVSwitch, Addresses = ["192.0.2.1/24"] }, Nic = new NicOptions { Socket = "/x" }, Port = new PortOptions { Id = "no", Create = true, Vlan = 3, Isolated = true } }, faults);
        Assert.Equal(["$.switch.name", "$.switch.create", "$.switch.type", "$.switch.addresses", "$.nic.socket", "$.port.id", "$.port.create", "$.port.vlan", "$.port"], faults.Select(f => f.Path));
        Assert.All(faults, fault => Assert.NotEmpty(fault.Remedy));
    }

    [Fact]
    public void Vlans_of_an_Open_vSwitch_port_are_its_columns()
    {
        Assert.Equal(["tag=5", "trunks=6,7", "vlan_mode=native-untagged"], OpenVSwitch.VlanColumns(new PortOptions { Vlan = 5, TaggedVlans = [6, 7] }));
        Assert.Empty(OpenVSwitch.VlanColumns(new PortOptions()));
    }

    private static List<OptionFault> Faults(string options)
    {
        var faults = new List<OptionFault>();
        new DioFactory().Options.Check(JsonDocument.Parse(options).RootElement, faults);
        return faults;
    }
}
