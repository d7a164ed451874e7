using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>The product: <c>./nichost run</c> on a topology, which changes only when a test applies another.</summary>
internal abstract class NicHostBackend(IHostWorld lab, string name) : Backend(lab, name)
{
    protected virtual string Topology => Path.Combine(Folder, "plugins.json");

    /// <summary>The host's control socket.</summary>
    public string Control => Path.Combine(Folder, "control.sock");

    /// <summary>The live tree: counters, flows, rings.</summary>
    public override string Inspect() => Inspect("");

    /// <summary>The same of one NIC, by name.</summary>
    public string Inspect(string nic)
    {
        try
        {
            return Shell.Run(Repository.PathOf("nichost"), ["inspect", .. nic.Length > 0 ? [nic] : Array.Empty<string>(), "--control", Control]);
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            return $"(no inspect: {e.Message})";
        }
    }

    protected void WriteTopology(string text) => File.WriteAllText(Topology, text);

    /// <summary>Makes the running host do what the topology says now, and waits until that is done.</summary>
    public void Apply() => Shell.Run(Repository.PathOf("nichost"), "apply", "--control", Control);

    protected override IEnumerable<string> Command() => [Repository.PathOf("nichost"), "run", Topology, "--no-watch", "--control", Control];
}

/// <summary>The product with a NIC that tests wire anew while it runs.</summary>
internal abstract class WiredBackend(IHostWorld lab, string name) : NicHostBackend(lab, name)
{
    /// <summary>Changes the wiring of the first NIC under the running host.</summary>
    public void Apply(NicWiring wiring)
    {
        Write(wiring);
        Apply();
    }

    /// <summary>Writes a topology whose first NIC is wired so.</summary>
    protected abstract void Write(NicWiring wiring);
}

/// <summary>One VM of one virtio NIC, on the user-mode NAT unless a test moves it.</summary>
internal sealed class VirtioBackend : WiredBackend
{
    private readonly int _mtu;

    public VirtioBackend(NetnsLab lab, string name, int mtu, int queues = 1, NicWiring? wiring = null) : base(lab, name)
    {
        Plug = new NicPlug(NicTransport.VhostUser, Path.Combine(Folder, "eth0.sock"), "52:54:00:12:34:56", queues);
        _mtu = mtu;
        Write(wiring ?? new NicWiring());
    }

    public override NicPlug Plug { get; }

    protected override void Write(NicWiring wiring) => WriteTopology($$"""
        {
          "vms": {
            "web": {
              "nics": {
                "eth0": {
                  "mac": "{{Plug.Mac}}",
                  "mtu": {{_mtu}},
                  "link": "{{(wiring.IsLinkUp ? "up" : "down")}}",
                  "device": { "kind": "virtio", "socket": "{{Plug.Socket}}", "queues": {{Plug.Queues}} },
                  "endpoint": {{wiring.Endpoint}}
                }
              }
            }
          }
        }
        """);
}
