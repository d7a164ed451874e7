using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>The product: <c>./nichost run</c> with one VM of one virtio NIC on the user-mode NAT.</summary>
internal sealed class NicHostBackend : Backend
{
    private readonly string _topology;

    public NicHostBackend(NetnsLab lab, string name, int mtu, int queues = 1) : base(lab, name)
    {
        Plug = new NicPlug(NicTransport.VhostUser, Path.Combine(Folder, "eth0.sock"), "52:54:00:12:34:56", queues);
        _topology = Path.Combine(Folder, "plugins.json");
        File.WriteAllText(_topology, $$"""
            {
              "vms": {
                "web": {
                  "nics": {
                    "eth0": {
                      "mac": "{{Plug.Mac}}",
                      "mtu": {{mtu}},
                      "device": { "kind": "virtio", "socket": "{{Plug.Socket}}", "queues": {{queues}} },
                      "endpoint": {
                        "kind": "consomme",
                        "hostLoopback": true,
                        "forwards": [
                          "tcp:10.99.0.2:2222-22", "tcp:[fd99::2]:2222-22",
                          "udp:10.99.0.2:5353-53", "udp:[fd99::2]:5353-53"
                        ]
                      }
                    }
                  }
                }
              }
            }
            """);
    }

    public override NicPlug Plug { get; }

    private string Control => Path.Combine(Folder, "control.sock");

    /// <summary>The live tree: counters, flows, rings.</summary>
    public override string Inspect()
    {
        try
        {
            return Shell.Run(Repository.PathOf("nichost"), "inspect", "--control", Control);
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            return $"(no inspect: {e.Message})";
        }
    }

    protected override IEnumerable<string> Command() => [Repository.PathOf("nichost"), "run", _topology, "--control", Control];
}
