using NicHost.Contracts.Frames;

namespace NicHost.Probe.Stack;

/// <summary>Puts fragments together, one packet at a time: a fragment of another packet starts anew. Enough for a guest that asks one question at a time.</summary>
internal sealed class Reassembly
{
    private readonly bool[] _have = new bool[(65536 / 8) + 1];
    private Ip _source;
    private uint _id;
    private int _total;

    /// <summary>The packet's payload.</summary>
    public byte[] Buffer { get; } = new byte[FrameLimits.MaxFrame];

    /// <summary>Adds a fragment.</summary>
    /// <returns>True when the packet is whole.</returns>
    public bool Add(in IpPacket packet, uint id, int offset, bool more, out int length)
    {
        length = 0;
        if (_source != packet.Source || _id != id) Start(packet.Source, id);
        if (offset + packet.Length > 65535 || (more && packet.Length % 8 != 0)) return false;
        packet.Frame.CopyTo(packet.Offset, Buffer.AsSpan(offset, packet.Length));
        _have.AsSpan(offset / 8, (packet.Length + 7) / 8).Fill(true);
        if (!more) _total = offset + packet.Length;
        if (_total < 0 || _have.AsSpan(0, (_total + 7) / 8).Contains(false)) return false;
        length = _total;
        Start(default, 0);
        return true;
    }

    private void Start(Ip source, uint id)
    {
        _source = source;
        _id = id;
        _total = -1;
        Array.Clear(_have);
    }
}
