using System.Buffers.Binary;

namespace NicHost.Probe.Stack;

/// <content>TCP options.</content>
public sealed partial class TcpConnection
{
    private int WriteSynOptions(Span<byte> options)
    {
        var passive = State == TcpState.SynReceived;
        var header = Key.Remote.IsV6 ? Proto.Ipv6Header : Proto.Ipv4Header;
        options[0] = 2;
        options[1] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(options[2..], _options.Mss ?? (ushort)(_stack.Mtu - header - Proto.TcpHeader));
        var at = 4;
        if (_options.SackPermitted)
        {
            BinaryPrimitives.WriteUInt32BigEndian(options[at..], 0x0101_0402);
            at += 4;
        }
        if (_options.WindowScale is { } shift && (!passive || _peerScales))
        {
            BinaryPrimitives.WriteUInt32BigEndian(options[at..], 0x0103_0300 | (uint)shift);
            at += 4;
        }
        if (_options.Timestamps && (!passive || _timestamps)) at += WriteTimestamp(options[at..]);
        return at;
    }

    private int WriteTimestamp(Span<byte> options)
    {
        BinaryPrimitives.WriteUInt32BigEndian(options, 0x0101_080a);
        BinaryPrimitives.WriteUInt32BigEndian(options[4..], (uint)_stack.NowMs + 1);
        BinaryPrimitives.WriteUInt32BigEndian(options[8..], _peerTimestamp);
        return TimestampBytes;
    }

    private void ReadSynOptions(ReadOnlySpan<byte> options)
    {
        var header = Key.Remote.IsV6 ? Proto.Ipv6Header : Proto.Ipv4Header;
        var most = _stack.Mtu - header - Proto.TcpHeader;
        _mss = Math.Min(_mss, most);
        while (options.Length > 0)
        {
            if (options[0] == 0) return;
            if (options[0] == 1)
            {
                options = options[1..];
                continue;
            }
            if (options.Length < 2 || options[1] < 2 || options[1] > options.Length)
            {
                _stack.Faults.Report("TCP options that run over their end");
                return;
            }
            var option = options[..options[1]];
            switch (option[0])
            {
                case 2 when option.Length == 4:
                    _mss = Math.Max(64, Math.Min(most, BinaryPrimitives.ReadUInt16BigEndian(option[2..])));
                    break;
                case 3 when option.Length == 3 && _options.WindowScale is { } ours:
                    _peerScales = true;
                    _sndShift = Math.Min(option[2], (byte)14);
                    _rcvShift = ours;
                    break;
                case 8 when option.Length == 10 && _options.Timestamps:
                    _timestamps = true;
                    _peerTimestamp = BinaryPrimitives.ReadUInt32BigEndian(option[2..]);
                    break;
            }
            options = options[option.Length..];
        }
    }

    // The layout that everyone uses: two NOPs before the option.
    private void ReadTimestamp(ReadOnlySpan<byte> options)
    {
        if (!_timestamps || options.Length < TimestampBytes || BinaryPrimitives.ReadUInt32BigEndian(options) != 0x0101_080a) return;
        _peerTimestamp = BinaryPrimitives.ReadUInt32BigEndian(options[4..]);
        var echo = BinaryPrimitives.ReadUInt32BigEndian(options[8..]);
        if (echo == 0) return;
        var sample = (int)((uint)_stack.NowMs + 1 - echo);
        if (sample is < 0 or > MaxRtoMs) return;
        _srttMs = _srttMs < 0 ? sample : ((7 * _srttMs) + sample) / 8;
    }

    private bool _peerScales;
}
