using System.Text.Json;
using NicHost.Contracts.Options;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>The defaults of all files together.</summary>
internal sealed class TopologyDefaults
{
    /// <summary>A VM's name that no VM has: defaults are checked against the plugin versions that a new VM gets.</summary>
    private const string NoVm = "";

    private readonly Layered? _defaults;

    private TopologyDefaults(Layered? defaults) => _defaults = defaults;

    public Layered? Nic => _defaults?.Member("nic");

    /// <summary>Those of a kind; a NIC that pins a version has those of its kind, too.</summary>
    public Layered? Part(string member, string kind) => _defaults?.Member(member)?.Member(KindReference.Parse(kind).Kind) is { Value.ValueKind: JsonValueKind.Object } part ? part : null;

    /// <summary>Puts the defaults together and checks them, used or not.</summary>
    public static TopologyDefaults Read(IReadOnlyList<FileLevel> levels, IKindSource kinds)
    {
        Layered? all = null;
        // As they stand: what is wrong in one default does not hide the others.
        foreach (var level in levels)
        {
            if (level.Root.Member("defaults") is { Value.ValueKind: JsonValueKind.Object } own) all = Layered.Unite(all, own);
        }
        var defaults = new TopologyDefaults(all);
        defaults.Check("device", "Device", kinds.DeviceKinds, kind => kinds.Device(NoVm, kind) is { } source ? () => source.Factory.Options : null);
        defaults.Check("endpoint", "Endpoint", kinds.EndpointKinds, kind => kinds.Endpoint(NoVm, kind) is { } source ? () => source.Factory.Options : null);
        return defaults;
    }

    private void Check(string member, string what, IReadOnlyList<string> kinds, Func<string, Func<OptionsModel>?> options)
    {
        if (_defaults?.Member(member) is not { Value.ValueKind: JsonValueKind.Object } parts) return;
        foreach (var kind in parts.Value.EnumerateObject().Select(m => m.Name))
        {
            var part = parts.Member(kind)!;
            if (KindReference.Parse(kind).Kind != kind) part.Place.Add("Defaults go by kind, whatever the version.", $"Write \"{KindReference.Parse(kind).Kind}\".");
            else if (options(kind) is { } model) CheckPart(part, model);
            else part.Place.Add($"{what} kind \"{kind}\" is not there.", KindName.Remedy(kind, kinds));
        }
    }

    private static void CheckPart(Layered part, Func<OptionsModel> model)
    {
        LevelReader.RefuseKind(part, "The kind is the name that these defaults have.");
        PartReader.Tell(part, faults => model().CheckPartial(part.Value, faults));
    }
}
