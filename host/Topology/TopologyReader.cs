using NicHost.Contracts.Nics;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>From files to a model. Finds every fault before it gives up: those of the levels here, those of options by their plugin.</summary>
internal sealed class TopologyReader
{
    private readonly Dictionary<string, Place> _vms = new(StringComparer.Ordinal);
    private readonly List<NicDraft> _nics = [];
    private readonly NicReader _reader;

    private TopologyReader(NicReader reader) => _reader = reader;

    /// <summary>Reads and checks; what is wrong is told to the files.</summary>
    public static IReadOnlyList<VmModel> Read(IReadOnlyList<FileLevel> levels, IKindSource kinds, HostSettings settings)
    {
        var defaults = TopologyDefaults.Read(levels, kinds);
        var reader = new TopologyReader(new NicReader(new PartReader(kinds, defaults), defaults));
        VmModel[] vms = [.. levels.SelectMany(reader.ReadVms)];
        NicDraft[] sound = [.. reader._nics.Where(nic => nic.IsSound)];
        MacValidator.Check(sound);
        WiringValidator.Check(sound, settings.Control.Socket);
        return vms;
    }

    private IEnumerable<VmModel> ReadVms(FileLevel level)
    {
        if (!level.Members.TryGetValue("vms", out var map)) yield break;
        foreach (var (name, vm) in LevelReader.Named(map, "VM"))
        {
            var isFirst = _vms.TryAdd(name, vm.Place);
            if (!isFirst) vm.Place.Add($"The VM \"{name}\" is in {_vms[name]} already.", "Keep a VM in one file; give another VM another name.");
            NicDraft[] nics = [.. ReadNics(name, vm)];
            // Copies want what their originals have: that is no fault of its own.
            if (isFirst) _nics.AddRange(nics);
            yield return new VmModel(name, [.. nics.Select(nic => nic.Nic)]);
        }
    }

    private IEnumerable<NicDraft> ReadNics(string vm, Layered level)
    {
        if (!LevelReader.Read(level, TopologyJson.Default.VmConfig).TryGetValue("nics", out var map)) yield break;
        foreach (var (name, nic) in LevelReader.Named(map, "NIC"))
        {
            if (_reader.Read(new NicIdentity(vm, name), nic) is { } draft) yield return draft;
        }
    }
}
