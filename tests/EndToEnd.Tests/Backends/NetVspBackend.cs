using System.Globalization;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>What a NetVSP host of a test is like.</summary>
internal sealed record NetVspSetup(int Mtu = 1500, int Queues = 1, int Nics = 1, string Vmbus = "5.3", string Nvsp = "6.1")
{
    /// <summary>What the second NIC speaks at most.</summary>
    public string SecondNvsp { get; init; } = Nvsp;

    /// <summary>How the first NIC is wired.</summary>
    public NicWiring Wiring { get; init; } = new();
}

/// <summary>The product with one VM whose NICs are on one VMBus: the first on the user-mode NAT unless a test moves it, others on networks of their own.</summary>
internal sealed class NetVspBackend : WiredBackend
{
    private NetVspSetup _setup;

    public NetVspBackend(NetnsLab lab, string name, NetVspSetup setup) : base(lab, name)
    {
        _setup = setup;
        Plug = new NicPlug(NicTransport.Vmbus, Path.Combine(Folder, "vmbus.sock"), MacOf(0), setup.Queues);
        Write();
    }

    public override NicPlug Plug { get; }

    /// <summary>The address of a NIC by its number.</summary>
    public static string MacOf(int nic) => $"52:54:00:12:34:{(0x56 + nic).ToString("x2", CultureInfo.InvariantCulture)}";

    /// <summary>Changes the NICs under the running host.</summary>
    public void Apply(NetVspSetup setup)
    {
        _setup = setup;
        Write();
        Apply();
    }

    protected override void Write(NicWiring wiring)
    {
        _setup = _setup with { Wiring = wiring };
        Write();
    }

    private void Write() =>
        WriteTopology($$"""{ "vms": { "web": { "nics": { {{string.Join(",\n", Enumerable.Range(0, _setup.Nics).Select(Nic))}} } } } }""");

    private string Nic(int number) => $$"""
        "eth{{number}}": {
          "mac": "{{MacOf(number)}}",
          "mtu": {{_setup.Mtu}},
          "link": "{{(number > 0 || _setup.Wiring.IsLinkUp ? "up" : "down")}}",
          "device": {
            "kind": "netvsp", "socket": "{{Plug.Socket}}", "queues": {{_setup.Queues}},
            "vmbusVersion": "{{_setup.Vmbus}}", "nvspVersion": "{{(number == 0 ? _setup.Nvsp : _setup.SecondNvsp)}}"
          },
          "endpoint": {{(number == 0 ? _setup.Wiring.Endpoint : $$"""{ "kind": "consomme", "hostLoopback": true, "subnet": "10.0.{{2 + number}}.0/24" }""")}}
        }
        """;
}
