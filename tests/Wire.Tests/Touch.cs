namespace NicHost.Wire.Tests;

/// <summary>Parses bytes as everything and reads every field: the body of property tests (and fit for a fuzzer).</summary>
internal static class Touch
{
    internal static void All(ReadOnlySpan<byte> bytes)
    {
        if (EthernetView.TryParse(bytes, out EthernetView ethernet)) _ = ethernet.Destination + ethernet.Source + ethernet.EtherType + ethernet.VlanTci + (ulong)ethernet.Payload.Length;
        if (ArpView.TryParse(bytes, out ArpView arp)) _ = arp.SenderMac + arp.TargetMac + arp.SenderAddress + arp.TargetAddress + arp.Operation;
        Ip(bytes);
        Transport(bytes);
        Discovery(bytes);
        Dhcp(bytes);
        Dns(bytes);
    }

    private static void Ip(ReadOnlySpan<byte> bytes)
    {
        if (Ipv4View.TryParse(bytes, out Ipv4View v4))
        {
            _ = v4.IsChecksumValid;
            Assert.Equal(v4.PayloadLength, v4.Payload.Length);
            Assert.Equal(v4.HeaderLength, 20 + v4.Options.Length);
            _ = v4.Tos + v4.Identification + v4.FragmentOffset + v4.Ttl + v4.Protocol + v4.Checksum + v4.Source + v4.Destination + v4.PseudoHeader;
        }

        if (Ipv4View.TryParse(bytes, int.MaxValue, out Ipv4View quoted)) _ = quoted.Payload.Length + quoted.Options.Length;
        if (!Ipv6View.TryParse(bytes, out Ipv6View v6)) return;
        Assert.Equal(v6.PayloadLength, v6.Payload.Length);
        _ = v6.Source + v6.Destination + v6.FlowLabel + v6.TrafficClass + v6.HopLimit;
        if (!v6.TryFindTransport(out Ipv6Transport transport)) return;
        Assert.InRange(transport.Offset, 40, v6.TotalLength);
        _ = v6.PseudoHeader(transport);
        _ = v6.Packet[transport.Offset..].Length;
    }

    private static void Transport(ReadOnlySpan<byte> bytes)
    {
        if (TcpView.TryParse(bytes, out TcpView tcp))
        {
            _ = tcp.Sequence + tcp.Acknowledgement + tcp.Window + tcp.Checksum + tcp.UrgentPointer + (uint)tcp.Flags + (uint)tcp.Payload.Length;
            Assert.InRange(TcpOptions.Parse(tcp.Options).SackCount, 0, SackBlocks.Max);
        }

        if (UdpView.TryParse(bytes, out UdpView udp)) Assert.Equal(udp.PayloadLength, udp.Payload.Length);
        if (IcmpView.TryParse(bytes, out IcmpView icmp)) _ = icmp.IsChecksumValid(0) ? icmp.Type : icmp.NextHopMtu + icmp.RestOfHeader + icmp.Payload.Length;
    }

    private static void Discovery(ReadOnlySpan<byte> bytes)
    {
        if (!NdpView.TryParse(bytes, out NdpView ndp)) return;
        _ = ndp.Target + (ulong)ndp.NeighborFlags + (ulong)ndp.RouterFlags + ndp.CurrentHopLimit + ndp.RouterLifetime + ndp.ReachableTime + ndp.RetransmitTime;
        ndp.TryGetLinkAddress(NdpOption.SourceLinkAddress, out _);
        NdpOptionReader options = ndp.Options;
        while (options.MoveNext())
        {
            Assert.Equal(6, options.Data.Length % 8);
            options.TryReadPrefix(out _);
            options.TryReadMtu(out _);
        }

        Assert.True(options.IsAtEnd);
    }

    private static void Dhcp(ReadOnlySpan<byte> bytes)
    {
        if (DhcpV4View.TryParse(bytes, out DhcpV4View v4))
        {
            _ = v4.HardwareAddress + v4.ClientAddress + v4.YourAddress + v4.ServerAddress + v4.RelayAddress + v4.TransactionId + v4.Seconds + (ulong)v4.MessageType;
            for (int code = 0; code < 256; code++) v4.TryGetOption((byte)code, out _);
        }

        if (!DhcpV6View.TryParse(bytes, out DhcpV6View v6)) return;
        _ = v6.Requests(DhcpV6Option.DnsServers);
        DhcpV6OptionReader options = v6.Options;
        while (options.MoveNext())
        {
            if (!options.TryReadIaNa(out _, out DhcpV6OptionReader inner)) continue;
            while (inner.MoveNext()) inner.TryReadIaAddress(out _, out _, out _);
        }
    }

    private static void Dns(ReadOnlySpan<byte> bytes)
    {
        if (!DnsView.TryParse(bytes, out DnsView dns)) return;
        _ = dns.EdnsUdpSize;
        Span<byte> name = stackalloc byte[DnsName.MaxWireLength];
        int offset = DnsView.HeaderLength;
        for (int i = dns.QuestionCount; i > 0 && dns.TryReadQuestion(ref offset, out DnsQuestion question); i--)
        {
            int at = question.NameOffset;
            if (DnsName.TryRead(bytes, ref at, name, out int length)) _ = DnsName.ToText(name[..length]);
        }

        for (int i = 100; i > 0 && dns.TryReadRecord(ref offset, out DnsRecord record); i--)
        {
            _ = bytes.Slice(record.DataOffset, record.DataLength).Length;
            int at = record.DataOffset;
            if (DnsName.TryRead(bytes, ref at, name, out int length)) Assert.InRange(length, 1, DnsName.MaxWireLength);
        }
    }
}
