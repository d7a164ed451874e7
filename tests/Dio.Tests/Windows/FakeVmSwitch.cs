using System.Collections.Concurrent;
using NicHost.Dio.Windows;

namespace NicHost.Dio.Tests.Windows;

/// <summary>A Windows with one switch, which refuses what a test tells it to refuse, and remembers what was asked of it. Asked on any thread.</summary>
internal sealed class FakeVmSwitch : IVmSwitch
{
    private readonly List<string> _log = [];
    private volatile FakeVmNic? _nic;

    public FakeVmSwitch() => AddNetwork(SwitchFinder.DefaultSwitch, "Default Switch");

    /// <summary>The networks, as HCN describes them.</summary>
    public Dictionary<Guid, string> Properties { get; } = [];

    /// <summary>What HCN answers instead of the list of ids.</summary>
    public string? ListAnswer { get; set; }

    /// <summary>Windows errors by call.</summary>
    public ConcurrentDictionary<string, int> Refusals { get; } = new();

    /// <summary>Thrown by whatever is called first.</summary>
    public Exception? Missing { get; set; }

    /// <summary>Told of each NIC that is made.</summary>
    public Action<FakeVmNic>? Made { get; set; }

    /// <summary>Ports that are there, and whether a NIC is connected.</summary>
    public ConcurrentDictionary<Guid, bool> Ports { get; } = new();

    /// <summary>Whether NICs keep what is written to them.</summary>
    public bool Records { get; init; } = true;

    public List<FakeVmNic> Nics { get; } = [];

    /// <summary>The last one.</summary>
    public FakeVmNic Nic => _nic ?? throw new InvalidOperationException("No NIC was made.");

    /// <summary>What became of ports and NICs, in order.</summary>
    public IReadOnlyList<string> Log
    {
        get { lock (_log) return [.. _log]; }
    }

    /// <summary>An endpoint's factory on this Windows.</summary>
    public DioFactory Factory => new(new WindowsKernel(this));

    public void AddNetwork(Guid id, string name, string more = "") => Properties[id] = $$"""{"ID":"{{id.ToString().ToUpperInvariant()}}","Name":"{{name}}","Type":"ICS"{{more}}}""";

    public string Networks()
    {
        Refuse(nameof(Networks));
        return ListAnswer ?? $"[{string.Join(",", Properties.Keys.Select(id => $"\"{id}\""))}]";
    }

    public string Network(Guid id)
    {
        Refuse(nameof(Network));
        return Properties.TryGetValue(id, out var properties) ? properties : throw new VmSwitchException("HcnOpenNetwork", WindowsError.NetworkNotFound);
    }

    public IDisposable MakePort(Guid switchId, Guid port)
    {
        Refuse(nameof(MakePort));
        Ports[port] = false;
        Note($"port made in {switchId}");
        return new Port(this, port);
    }

    public IVmNic MakeNic(in VmNicIdentity identity)
    {
        Refuse(nameof(MakeNic));
        Note("NIC made");
        var nic = new FakeVmNic(this, identity) { Record = Records };
        Nics.Add(nic);
        _nic = nic;
        Made?.Invoke(nic);
        return nic;
    }

    public void Refuse(string call)
    {
        if (Missing is { } missing) throw missing;
        if (Refusals.TryGetValue(call, out var code)) throw new VmSwitchException(call, code);
    }

    public void Note(string what)
    {
        lock (_log) _log.Add(what);
    }

    private sealed class Port(FakeVmSwitch windows, Guid id) : IDisposable
    {
        public void Dispose()
        {
            if (windows.Ports.TryRemove(id, out _)) windows.Note("port closed");
        }
    }
}
