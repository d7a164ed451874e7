using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace NicHost.Wire;

/// <summary>A run of sequence numbers that has arrived (RFC 2018 section 3).</summary>
/// <param name="Left">First sequence number of the run.</param>
/// <param name="Right">The one behind its last.</param>
public readonly record struct SackBlock(uint Left, uint Right);

/// <summary>Room for the four blocks that fit into a header.</summary>
[InlineArray(Max)]
public struct SackBlocks
{
    /// <summary>The most blocks that fit (three beside timestamps).</summary>
    public const int Max = 4;

    private SackBlock _first;
}

/// <summary>The options of a TCP segment that matter.</summary>
public struct TcpOptions
{
    // RFC 9293 section 3.2; RFC 7323 sections 2.2, 3.2; RFC 2018 sections 2, 3
    internal const byte EndKind = 0;
    internal const byte NopKind = 1;
    internal const byte MssKind = 2;
    internal const byte WindowScaleKind = 3;
    internal const byte SackPermittedKind = 4;
    internal const byte SackKind = 5;
    internal const byte TimestampsKind = 8;

    /// <summary>The largest shift allowed (RFC 7323 section 2.3); larger ones count as this.</summary>
    public const int MaxWindowScale = 14;

    /// <summary>Maximum segment size, 0 when not said.</summary>
    public ushort Mss;

    /// <summary>Shift of the window field, -1 when not said.</summary>
    public int WindowScale;

    /// <summary>Whether SACK is permitted.</summary>
    public bool SackPermitted;

    /// <summary>Whether there are timestamps.</summary>
    public bool HasTimestamps;

    /// <summary>The sender's clock.</summary>
    public uint TimestampValue;

    /// <summary>The receiver's clock as echoed by the sender.</summary>
    public uint TimestampEcho;

    /// <summary>How many of <see cref="Sacks"/> are set.</summary>
    public int SackCount;

    /// <summary>Runs that have arrived.</summary>
    public SackBlocks Sacks;

    /// <summary>Reads options. Unknown and malformed ones are skipped; a length that makes no sense ends the reading.</summary>
    /// <param name="options">From <see cref="TcpView.Options"/>.</param>
    public static TcpOptions Parse(ReadOnlySpan<byte> options)
    {
        TcpOptions result = default;
        result.WindowScale = -1;
        while (options.Length > 0)
        {
            byte kind = options[0];
            if (kind == EndKind) break;
            if (kind == NopKind)
            {
                options = options[1..];
                continue;
            }

            if (options.Length < 2 || options[1] < 2 || options[1] > options.Length) break;
            int length = options[1];
            result.Read(kind, options[2..length]);
            options = options[length..];
        }

        return result;
    }

    private void Read(byte kind, ReadOnlySpan<byte> data)
    {
        switch (kind)
        {
            case MssKind when data.Length == 2:
                Mss = BinaryPrimitives.ReadUInt16BigEndian(data);
                break;
            case WindowScaleKind when data.Length == 1:
                WindowScale = Math.Min((int)data[0], MaxWindowScale);
                break;
            case SackPermittedKind when data.Length == 0:
                SackPermitted = true;
                break;
            case TimestampsKind when data.Length == 8:
                HasTimestamps = true;
                TimestampValue = BinaryPrimitives.ReadUInt32BigEndian(data);
                TimestampEcho = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
                break;
            case SackKind:
                SackCount = 0;
                for (; data.Length >= 8 && SackCount < SackBlocks.Max; data = data[8..])
                {
                    Sacks[SackCount++] = new SackBlock(
                        BinaryPrimitives.ReadUInt32BigEndian(data),
                        BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
                }

                break;
        }
    }
}

/// <summary>Writes TCP options, padded to whole words as it goes.</summary>
public ref struct TcpOptionWriter
{
    private readonly Span<byte> _to;
    private int _length;

    /// <summary>Starts with no option.</summary>
    /// <param name="to">Where options go: the header from byte 20, 40 bytes at most are used.</param>
    public TcpOptionWriter(Span<byte> to) => _to = to;

    /// <summary>Bytes written; always a multiple of 4.</summary>
    public readonly int Length => _length;

    /// <summary>Maximum segment size, 4 bytes.</summary>
    /// <param name="mss">Bytes of payload that we take in one segment.</param>
    public void Mss(ushort mss)
    {
        Span<byte> at = Take(4, TcpOptions.MssKind, 4);
        BinaryPrimitives.WriteUInt16BigEndian(at[2..], mss);
    }

    /// <summary>Window scale, 4 bytes with padding.</summary>
    /// <param name="shift">At most 14.</param>
    public void WindowScale(int shift)
    {
        Span<byte> at = Take(4, TcpOptions.NopKind, 0);
        at[1] = TcpOptions.WindowScaleKind;
        at[2] = 3;
        at[3] = (byte)shift;
    }

    /// <summary>SACK permitted, 4 bytes with padding.</summary>
    public void SackPermitted()
    {
        Span<byte> at = Take(4, TcpOptions.NopKind, 0);
        at[1] = TcpOptions.NopKind;
        at[2] = TcpOptions.SackPermittedKind;
        at[3] = 2;
    }

    /// <summary>Timestamps, 12 bytes with padding (the layout of RFC 7323 appendix A, which fast paths look for).</summary>
    /// <param name="value">Our clock.</param>
    /// <param name="echo">The peer's clock as last seen.</param>
    public void Timestamps(uint value, uint echo)
    {
        Span<byte> at = Take(12, TcpOptions.NopKind, 0);
        at[1] = TcpOptions.NopKind;
        at[2] = TcpOptions.TimestampsKind;
        at[3] = 10;
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], value);
        BinaryPrimitives.WriteUInt32BigEndian(at[8..], echo);
    }

    /// <summary>SACK blocks, 4 + 8 bytes each with padding.</summary>
    /// <param name="blocks">The first ones that fit are written.</param>
    public void Sack(scoped ReadOnlySpan<SackBlock> blocks)
    {
        int count = Math.Min(blocks.Length, (TcpView.MaxHeaderLength - TcpView.MinHeaderLength - _length - 4) / 8);
        if (count <= 0) return;
        Span<byte> at = Take(4 + (count * 8), TcpOptions.NopKind, 0);
        at[1] = TcpOptions.NopKind;
        at[2] = TcpOptions.SackKind;
        at[3] = (byte)(2 + (count * 8));
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(at[(4 + (i * 8))..], blocks[i].Left);
            BinaryPrimitives.WriteUInt32BigEndian(at[(8 + (i * 8))..], blocks[i].Right);
        }
    }

    private Span<byte> Take(int length, byte first, byte second)
    {
        Span<byte> at = _to.Slice(_length, length);
        at[0] = first;
        at[1] = second;
        _length += length;
        return at;
    }
}
