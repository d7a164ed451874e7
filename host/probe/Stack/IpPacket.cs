namespace NicHost.Probe.Stack;

/// <summary>A received IP packet whose lengths have been checked.</summary>
public readonly ref struct IpPacket
{
    /// <summary>Sender.</summary>
    public Ip Source { get; init; }

    /// <summary>Receiver.</summary>
    public Ip Destination { get; init; }

    /// <summary>Protocol above IP.</summary>
    public byte Protocol { get; init; }

    /// <summary>TTL or hop limit.</summary>
    public byte HopLimit { get; init; }

    /// <summary>Where the payload begins in the frame.</summary>
    public int Offset { get; init; }

    /// <summary>Payload bytes.</summary>
    public int Length { get; init; }

    /// <summary>The frame's first bytes, in one piece: all of it, or at least 192 bytes.</summary>
    public ReadOnlySpan<byte> Head { get; init; }

    /// <summary>The frame.</summary>
    public RxFrame Frame { get; init; }

    /// <summary>As much of the payload as lies in one piece.</summary>
    public ReadOnlySpan<byte> Start => Head.Slice(Offset, Math.Min(Length, Head.Length - Offset));
}

/// <summary>Looks at a packet.</summary>
public delegate void PacketHandler(in IpPacket packet);
