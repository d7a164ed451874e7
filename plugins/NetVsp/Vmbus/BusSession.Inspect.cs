using NicHost.Contracts.Diagnostics;

namespace NicHost.NetVsp.Vmbus;

/// <content>The live tree.</content>
internal sealed partial class BusSession
{
    /// <summary>Writes the bus's state as one device sees it. With the lock held.</summary>
    public void Inspect(InspectWriter writer, IChannelDevice device)
    {
        writer.Value("vmbusVersion", _version == 0 ? null : VmbusVersions.Text(_version));
        writer.Value("monitor", _monitorMode.ToString());
        writer.Value("buffers", _gpadls.Count);
        writer.Value("bufferPages", _gpadls.Pages);
        using (writer.Section("memory"))
        {
            foreach (var (address, length) in _memory.Regions) writer.Value($"0x{address:x}", (long)length);
        }
        using var channels = writer.Section("channels");
        foreach (var channel in _channels.Values.Where(c => c.Device == device))
        {
            using var one = writer.Section($"relid{channel.RelId}");
            writer.Value("index", channel.Index);
            writer.Value("state", channel.State.ToString());
            writer.Value("signal", channel.Kick is null ? "message" : "eventfd");
            writer.Value("interrupt", channel.GuestSignal is null ? "message" : "eventfd");
        }
    }
}
