using NicHost.Contracts.Diagnostics;
using NicHost.NetVsp.Nvsp;

namespace NicHost.NetVsp;

/// <content>The live tree.</content>
internal sealed partial class NetVspDevice
{
    private void InspectBus(InspectWriter writer)
    {
        writer.Value("socket", _busSettings.Path);
        writer.Value("instance", Instance.ToString());
        if (_bus?.Value is not { } bus) return;
        lock (bus.Gate)
        {
            writer.Value("client", bus.Peer);
            bus.Session?.Inspect(writer, this);
        }
    }

    private void InspectNvsp(InspectWriter writer)
    {
        using var section = writer.Section("nvsp");
        writer.Value("version", _control.Version == 0 ? null : NvspVersions.Text(_control.Version));
        if (_control.Version == 0) return;
        writer.Value("ndisVersion", $"{_control.NdisVersion >> 16}.{_control.NdisVersion & 0xffff}");
        writer.Value("guestMtu", _control.GuestMtu);
        writer.Value("capabilities", $"0x{_control.Capabilities:x}");
        writer.Value("subchannels", _control.Subchannels);
        var buffers = _control.Buffers;
        writer.Value("receiveSections", buffers.SectionCount);
        writer.Value("receiveSectionSize", buffers.SectionSize);
        writer.Value("receiveRuns", buffers.Receive?.Runs ?? 0);
        writer.Value("sendSections", buffers.SendSections);
        writer.Value("sendRuns", buffers.Send?.Runs ?? 0);
        var settings = _control.Rndis.Settings;
        using var rndis = writer.Section("rndis");
        writer.Value("up", settings.IsUp);
        if (!settings.IsUp) return;
        writer.Value("filter", settings.Filter.ToString());
        writer.Value("mac", settings.Mac.ToString());
        writer.Value("multicastGroups", settings.Multicast.Count);
        writer.Value("txOffloads", settings.TxOffloads.ToString());
        writer.Value("rxOffloads", settings.RxOffloads.ToString());
        writer.Value("rss", settings.Rss is null ? null : string.Join(' ', settings.Rss.Channels.Distinct().Order()));
    }
}
