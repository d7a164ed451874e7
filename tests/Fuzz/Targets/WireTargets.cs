using NicHost.Fuzz.Engine;
using NicHost.Wire;

namespace NicHost.Fuzz.Targets;

/// <summary>A parser of the wire library: parse, then read every field and walk everything that can be walked.</summary>
internal sealed class WireTarget(string name, WireTarget.Read read, params byte[][] dictionary) : FuzzTarget
{
    /// <summary>Parses and reads; adds up what it reads, so that nothing is left out by the compiler.</summary>
    internal delegate ulong Read(ReadOnlySpan<byte> bytes);

    private byte[] _copy = [];

    public override string Name => name;

    public override IReadOnlyList<byte[]> Dictionary => dictionary;

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds() => WireSeeds.For(name);

    public override void Run(ReadOnlySpan<byte> input)
    {
        // An array of exactly this size: a step beyond the input is an exception. Twice: parsers have no memory, and do not write.
        if (_copy.Length != input.Length) _copy = new byte[input.Length];
        input.CopyTo(_copy);
        var first = read(_copy);
        Require(read(_copy) == first, "The second reading differs from the first.");
        Require(input.SequenceEqual(_copy), "The parser changed its input.");
    }
}

/// <summary>What each parser target reads.</summary>
internal static class WireReads
{
    public static ulong Ethernet(ReadOnlySpan<byte> bytes) =>
        EthernetView.TryParse(bytes, out var v) ? v.Destination + v.Source + v.EtherType + v.VlanTci + (ulong)v.Payload.Length + (v.IsMulticast ? 1u : 0) : 0;

    public static ulong Arp(ReadOnlySpan<byte> bytes) =>
        ArpView.TryParse(bytes, out var v) ? v.SenderMac + v.TargetMac + v.SenderAddress + v.TargetAddress + v.Operation : 0;

    public static ulong Ipv4(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        if (Ipv4View.TryParse(bytes, int.MaxValue, out var quoted)) sum += (ulong)(quoted.Payload.Length + quoted.Options.Length);
        if (!Ipv4View.TryParse(bytes, out var v)) return sum;
        if (v.PayloadLength != v.Payload.Length || v.HeaderLength != 20 + v.Options.Length || v.TotalLength > bytes.Length) throw new InvariantException("lengths");
        sum += v.Source + v.Destination + v.PseudoHeader + v.Checksum + v.Identification + (ulong)v.FragmentOffset;
        return sum + v.Tos + v.Ttl + v.Protocol + (v.IsChecksumValid ? 1u : 0) + (v.IsFragment ? 1u : 0) + (v.DontFragment ? 1u : 0);
    }

    public static ulong Ipv6(ReadOnlySpan<byte> bytes)
    {
        if (!Ipv6View.TryParse(bytes, out var v)) return 0;
        if (v.PayloadLength != v.Payload.Length || v.TotalLength > bytes.Length) throw new InvariantException("lengths");
        var sum = (ulong)v.Source + (ulong)v.Destination + v.FlowLabel + v.TrafficClass + v.HopLimit;
        if (!v.TryFindTransport(out var transport)) return sum;
        if (transport.Offset < Ipv6View.HeaderLength || transport.Offset > v.TotalLength) throw new InvariantException("transport offset");
        return sum + v.PseudoHeader(transport) + (ulong)v.Packet[transport.Offset..].Length;
    }

    public static ulong Tcp(ReadOnlySpan<byte> bytes)
    {
        if (!TcpView.TryParse(bytes, out var v)) return 0;
        var sum = (ulong)v.Sequence + v.Acknowledgement + v.Window + v.Checksum + v.UrgentPointer + (ulong)v.Flags + (ulong)v.Payload.Length;
        return sum + TcpOption(v.Options) + v.SourcePort + v.DestinationPort;
    }

    public static ulong TcpOption(ReadOnlySpan<byte> bytes)
    {
        var options = TcpOptions.Parse(bytes);
        if (options.SackCount is < 0 or > SackBlocks.Max || options.WindowScale is < -1 or > TcpOptions.MaxWindowScale) throw new InvariantException("bounds");
        ulong sum = options.Mss + (options.SackPermitted ? 1u : 0) + options.TimestampValue + options.TimestampEcho;
        for (var i = 0; i < options.SackCount; i++) sum += options.Sacks[i].Left + options.Sacks[i].Right;
        return sum;
    }

    public static ulong Udp(ReadOnlySpan<byte> bytes)
    {
        if (!UdpView.TryParse(bytes, out var v)) return 0;
        if (v.PayloadLength != v.Payload.Length) throw new InvariantException("lengths");
        return (ulong)v.SourcePort + v.DestinationPort + v.Checksum + (ulong)v.PayloadLength;
    }

    public static ulong Icmp(ReadOnlySpan<byte> bytes)
    {
        if (!IcmpView.TryParse(bytes, out var v)) return 0;
        var sum = (ulong)v.Type + v.Code + v.RestOfHeader + v.NextHopMtu + (ulong)v.Payload.Length + (v.IsChecksumValid(0) ? 1u : 0);
        // An error quotes the start of a packet.
        return sum + Ipv4(v.Payload) + Ipv6(v.Payload);
    }

    public static ulong Ndp(ReadOnlySpan<byte> bytes)
    {
        if (!NdpView.TryParse(bytes, out var v)) return 0;
        var sum = (ulong)v.Target + (ulong)v.NeighborFlags + (ulong)v.RouterFlags + v.CurrentHopLimit + v.RouterLifetime + v.ReachableTime + v.RetransmitTime;
        if (v.TryGetLinkAddress(NdpOption.SourceLinkAddress, out var mac)) sum += mac;
        if (v.TryGetLinkAddress(NdpOption.TargetLinkAddress, out mac)) sum += mac;
        var options = v.Options;
        while (options.MoveNext())
        {
            if (options.TryReadPrefix(out var prefix)) sum += (ulong)prefix.Prefix + prefix.ValidSeconds + prefix.Length;
            if (options.TryReadMtu(out var mtu)) sum += mtu;
        }
        return options.IsAtEnd ? sum : throw new InvariantException("TryParse let malformed options through");
    }

    public static ulong Dhcp4(ReadOnlySpan<byte> bytes)
    {
        if (!DhcpV4View.TryParse(bytes, out var v)) return 0;
        ulong sum = v.HardwareAddress + v.ClientAddress + v.YourAddress + v.ServerAddress + v.RelayAddress + v.TransactionId + v.Seconds + (ulong)v.MessageType;
        foreach (byte code in (ReadOnlySpan<byte>)[0, 1, 12, 50, 52, 53, 55, 61, 82, 255])
        {
            if (v.TryGetOption(code, out var data)) sum += (ulong)data.Length;
            if (v.TryGetUInt32(code, out var value)) sum += value;
        }
        return sum + (v.WantsBroadcast ? 1u : 0);
    }

    public static ulong Dhcp6(ReadOnlySpan<byte> bytes)
    {
        if (!DhcpV6View.TryParse(bytes, out var v)) return 0;
        ulong sum = v.TransactionId + (v.Requests(DhcpV6Option.DnsServers) ? 1u : 0);
        var options = v.Options;
        while (options.MoveNext())
        {
            sum += options.Code;
            if (!options.TryReadIaNa(out var id, out var inner)) continue;
            sum += id;
            while (inner.MoveNext()) if (inner.TryReadIaAddress(out var address, out var preferred, out var valid)) sum += (ulong)address + preferred + valid;
        }
        return sum;
    }

    public static ulong Dns(ReadOnlySpan<byte> bytes)
    {
        if (!DnsView.TryParse(bytes, out var v)) return 0;
        var sum = (ulong)v.EdnsUdpSize + v.Id + (ulong)v.Opcode + (ulong)v.ResponseCode;
        var offset = DnsView.HeaderLength;
        for (var i = v.QuestionCount; i > 0 && v.TryReadQuestion(ref offset, out var question); i--) sum += Name(bytes, question.NameOffset) + question.Type;
        for (var i = 0; i < 4096 && v.TryReadRecord(ref offset, out var record); i++)
        {
            sum += Name(bytes, record.NameOffset) + (ulong)bytes.Slice(record.DataOffset, record.DataLength).Length + record.Ttl;
            if (record.DataLength > 0) sum += Name(bytes, record.DataOffset);
        }
        return sum;
    }

    // A name that can be read can be written again, and reads the same.
    private static ulong Name(ReadOnlySpan<byte> message, int offset)
    {
        Span<byte> name = stackalloc byte[DnsName.MaxWireLength];
        if (!DnsName.TryRead(message, ref offset, name, out var length)) return 0;
        if (length is < 1 or > DnsName.MaxWireLength || offset > message.Length) throw new InvariantException("name bounds");
        var text = DnsName.ToText(name[..length]);
        if (text.Length > DnsName.MaxTextLength) throw new InvariantException("text bounds");
        Span<byte> again = stackalloc byte[DnsName.MaxWireLength];
        if (text != "." && !text.Contains('\\', StringComparison.Ordinal)
            && (!DnsName.TryEncode(text, again, out var written) || !again[..written].SequenceEqual(name[..length]))) throw new InvariantException($"round trip of {text}");
        return (ulong)(length + text.Length);
    }
}
