using System.Globalization;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>What a NetVSP host of a test is like.</summary>
internal sealed record NetVspSetup(int Mtu = 1500, int Queues = 1, int Nics = 1, string Vmbus = "5.3", string Nvsp = "6.1");

/// <summary>The product with one VM whose NICs are on one VMBus: the first on the user-mode NAT as in <see cref="NicHostBackend"/>, others on networks of their own.</summary>
internal sealed class NetVspBackend : NicHostBackend
{
    public NetVspBackend(NetnsLab lab, string name, NetVspSetup setup) : base(lab, name)
    {
        Plug = new NicPlug(NicTransport.Vmbus, Path.Combine(Folder, "vmbus.sock"), "52:54:00:12:34:56", setup.Queues);
        var nics = Enumerable.Range(0, setup.Nics).Select(i => $$"""
            "eth{{i}}": {
              "mac": "52:54:00:12:34:{{(0x56 + i).ToString("x2", CultureInfo.InvariantCulture)}}",
              "mtu": {{setup.Mtu}},
              "device": { "kind": "netvsp", "socket": "{{Plug.Socket}}", "queues": {{setup.Queues}}, "vmbusVersion": "{{setup.Vmbus}}", "nvspVersion": "{{setup.Nvsp}}" },
              "endpoint": { "kind": "consomme", "hostLoopback": true, {{(i == 0 ? Forwards : $"\"subnet\": \"10.0.{2 + i}.0/24\"")}} }
            }
            """);
        WriteTopology($$"""{ "vms": { "web": { "nics": { {{string.Join(",\n", nics)}} } } } }""");
    }

    public override NicPlug Plug { get; }
}
