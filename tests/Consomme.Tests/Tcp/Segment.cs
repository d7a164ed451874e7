using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>A TCP segment as a test writes and reads it.</summary>
internal sealed record Segment
{
    public IpAddr From { get; init; } = Guest.Address;
    public IpAddr To { get; init; } = Guest.Gateway;
    public ushort FromPort { get; init; } = 40000;
    public ushort ToPort { get; init; }
    public uint Seq { get; init; }
    public uint Ack { get; init; }
    public TcpFlags Flags { get; init; }
    public ushort Window { get; init; } = 65535;
    public byte[] Options { get; init; } = [];
    public byte[] Payload { get; init; } = [];
    public FrameOffload Offload { get; init; }

    public bool Is(TcpFlags flags) => (Flags & ~TcpFlags.Psh) == flags;

    /// <summary>Numbers that it takes up.</summary>
    public uint Length => (uint)Payload.Length + ((Flags & TcpFlags.Syn) != 0 ? 1u : 0) + ((Flags & TcpFlags.Fin) != 0 ? 1u : 0);

    public byte[] ToFrame()
    {
        var header = 20 + ((Options.Length + 3) & ~3);
        var tcp = new byte[header + Payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, FromPort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(2), ToPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(4), Seq);
        BinaryPrimitives.WriteUInt32BigEndian(tcp.AsSpan(8), Ack);
        tcp[12] = (byte)(header << 2);
        tcp[13] = (byte)Flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(14), Window);
        Options.CopyTo(tcp, 20);
        Payload.CopyTo(tcp, header);
        var sum = (ushort)~TestFrames.Fold(Frames.Pseudo(From, To, 6, tcp.Length) + TestFrames.NaiveSum(tcp));
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(16), sum);
        return Frames.Ip(From, To, 6, tcp);
    }

    /// <summary>Reads a frame to the guest and checks what must hold for all of them.</summary>
    public static Segment Parse(ReceivedFrame received)
    {
        var frame = received.Bytes;
        var v4 = frame[12] == 0x08;
        var ip = v4 ? 20 : 40;
        Assert.Equal(6, v4 ? frame[23] : frame[20]);
        Assert.Equal(frame.Length, 14 + (v4 ? Frames.Word(frame, 16) : 40 + Frames.Word(frame, 18)));
        if (v4) Assert.Equal(0xffff, TestFrames.Fold(TestFrames.NaiveSum(frame.AsSpan(14, 20))));
        var tcp = frame.AsSpan(14 + ip);
        var from = v4 ? IpAddr.FromV4(frame.AsSpan(26)) : IpAddr.FromV6(frame.AsSpan(22));
        var to = v4 ? IpAddr.FromV4(frame.AsSpan(30)) : IpAddr.FromV6(frame.AsSpan(38));
        if (received.Offload.Checksum == ChecksumState.Partial)
        {
            Assert.Equal(14 + ip, received.Offload.ChecksumStart);
            Assert.Equal(16, received.Offload.ChecksumOffset);
            Assert.Equal(TestFrames.Fold(Frames.Pseudo(from, to, 6, tcp.Length)), BinaryPrimitives.ReadUInt16BigEndian(tcp[16..]));
        }
        else Assert.True(TestFrames.HasGoodTransportChecksum(frame), "The checksum is wrong.");
        var header = (tcp[12] >> 4) * 4;
        return new Segment
        {
            From = from,
            To = to,
            FromPort = BinaryPrimitives.ReadUInt16BigEndian(tcp),
            ToPort = BinaryPrimitives.ReadUInt16BigEndian(tcp[2..]),
            Seq = BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]),
            Ack = BinaryPrimitives.ReadUInt32BigEndian(tcp[8..]),
            Flags = (TcpFlags)tcp[13],
            Window = BinaryPrimitives.ReadUInt16BigEndian(tcp[14..]),
            Options = tcp[20..header].ToArray(),
            Payload = tcp[header..].ToArray(),
            Offload = received.Offload,
        };
    }

    public static byte[] MssOption(ushort mss) => [2, 4, (byte)(mss >> 8), (byte)mss];

    public static byte[] ScaleOption(byte scale) => [1, 3, 3, scale];

    public static byte[] SackPermittedOption { get; } = [1, 1, 4, 2];

    public static byte[] TimestampOption(uint value, uint echo)
    {
        byte[] option = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(4), value);
        BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(8), echo);
        return option;
    }

    public static byte[] SackOption(params (uint Start, uint End)[] blocks)
    {
        var option = new byte[4 + (8 * blocks.Length)];
        new byte[] { 1, 1, 5, (byte)(2 + (8 * blocks.Length)) }.CopyTo(option, 0);
        for (var i = 0; i < blocks.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(4 + (8 * i)), blocks[i].Start);
            BinaryPrimitives.WriteUInt32BigEndian(option.AsSpan(8 + (8 * i)), blocks[i].End);
        }
        return option;
    }

    /// <summary>Finds an option's data.</summary>
    public byte[]? Option(byte kind)
    {
        for (var at = 0; at < Options.Length;)
        {
            if (Options[at] == 0) return null;
            if (Options[at] == 1) { at++; continue; }
            if (Options[at] == kind) return Options[(at + 2)..(at + Options[at + 1])];
            at += Options[at + 1];
        }
        return null;
    }
}
