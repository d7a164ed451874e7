using NicHost.Contracts.Frames;

namespace NicHost.Probe.Stack;

/// <content>Checksums of received packets.</content>
public sealed unsafe partial class ProbeStack
{
    /// <summary>Checks the transport checksum, as far as the frame's offload record leaves it to us.</summary>
    private bool ChecksumHolds(in IpPacket packet, int fieldOffset)
    {
        var frame = packet.Frame;
        switch (frame.Offload.Checksum)
        {
            case ChecksumState.Verified:
                return true;
            case ChecksumState.Partial:
                if (frame.Offload.ChecksumStart == packet.Offset && frame.Offload.ChecksumOffset == fieldOffset) return SeedHolds(packet, fieldOffset);
                Faults.Report("frame whose checksum place is not that of its transport header");
                return false;
            default:
                if (frame.Offload.Gso != GsoKind.None) Faults.Report("super-frame without an open or verified checksum");
                var sum = InetChecksum.Pseudo(packet.Source, packet.Destination, packet.Protocol, packet.Length);
                if (InetChecksum.Fold(AddPayload(sum, packet)) == 0xffff) return true;
                Faults.Report("packet with a wrong transport checksum");
                return false;
        }
    }

    private bool SeedHolds(in IpPacket packet, int fieldOffset)
    {
        var seed = InetChecksum.Fold(InetChecksum.Pseudo(packet.Source, packet.Destination, packet.Protocol, packet.Length));
        var found = BitConverter.ToUInt16(packet.Start[fieldOffset..]);
        if (found == seed || (ushort)(found - seed) == 0xffff) return true;
        Faults.Report("open checksum that is not the pseudo header's sum");
        return false;
    }

    private static ulong AddPayload(ulong sum, in IpPacket packet)
    {
        var skip = packet.Offset;
        var left = packet.Length;
        var odd = false;
        foreach (ref readonly var segment in packet.Frame.Segments)
        {
            var length = (int)segment.Length;
            if (skip >= length)
            {
                skip -= length;
                continue;
            }
            var take = Math.Min(length - skip, left);

            // SAFETY: take stays inside the segment.
            var part = InetChecksum.Add(0, new ReadOnlySpan<byte>((byte*)segment.Base + skip, take));
            sum += odd ? InetChecksum.Swap(part) : InetChecksum.Fold(part);
            odd ^= (take & 1) != 0;
            left -= take;
            skip = 0;
        }
        return sum;
    }
}
