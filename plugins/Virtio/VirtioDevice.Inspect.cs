using NicHost.Contracts.Diagnostics;
using NicHost.Virtio.Net;

namespace NicHost.Virtio;

/// <content>The live tree.</content>
internal sealed partial class VirtioDevice
{
    public void Inspect(InspectWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Value("socket", _path);
        writer.Value("mode", _options.Mode == SocketRole.Server ? "server" : "client");
        if (_options.Mode == SocketRole.Server) writer.Value("socketMode", _options.SocketMode);
        if (_options.Owner is { } owner) writer.Value("owner", owner);
        if (_options.Group is { } group) writer.Value("group", group);
        writer.Value("frontEnd", _peer);
        writer.Value("linkShownBy", _session is { HearsOfLink: true } ? "message" : _options.HangsUp ? "reconnect" : "nothing");
        if (_untold.KeepsAway) writer.Value("awaitsLink", $"pid {_untold.Away}");
        writer.Value("offered", NetFeatureMap.Names(Offered));
        if (_session is { } session)
        {
            writer.Value("negotiated", NetFeatureMap.Names(session.Accepted));
            writer.Value("protocol", session.Protocol.ToString());
            writer.Value("status", session.Status);
            using var memory = writer.Section("memory");
            foreach (var region in session.Regions) writer.Value($"0x{region.GuestAddress:x}", (long)region.Size);
        }
        for (var i = 0; i < _pairs.Length; i++)
        {
            using (writer.Section($"queue{i}")) _pairs[i].Inspect(writer);
        }
        if (_control is null) return;
        using (writer.Section("control"))
        {
            _control.Inspect(writer);
            writer.Value("pairs", _control.State.Pairs);
            writer.Value("mac", _control.State.Mac.ToString());
            writer.Value("promiscuous", _control.State.Promiscuous);
            writer.Value("allMulticast", _control.State.AllMulticast);
        }
    }
}
