using CsCheck;

namespace NicHost.Wire.Tests;

public sealed class DhcpTests
{
    private const uint Guest = 0x0A00020F;
    private const uint Gateway = 0x0A000202;

    [Fact]
    public void V4_offer_reads_back_whole()
    {
        byte[] message = new byte[548];
        DhcpV4Writer writer = new(message, DhcpV4View.BootReply, 0xCAFEBABE, 0x525400123456, broadcast: true, yourAddress: Guest, serverAddress: Gateway);
        Assert.True(writer.Add(DhcpV4MessageType.Offer));
        Assert.True(writer.AddUInt32(DhcpV4Option.ServerIdentifier, Gateway));
        Assert.True(writer.AddUInt32(DhcpV4Option.LeaseTime, 86_400));
        Assert.True(writer.AddAddresses(DhcpV4Option.DnsServer, [0x0A000203, 0x08080808]));
        Assert.True(writer.AddUInt16(DhcpV4Option.InterfaceMtu, 1500));
        Assert.True(writer.AddText(DhcpV4Option.DomainName, "example.org"));
        Assert.True(writer.AddDomainSearch(["example.org", "corp.example"]));
        int length = writer.Finish();
        Assert.True(length >= DhcpV4Writer.MinLength);

        Assert.True(DhcpV4View.TryParse(message.AsSpan(0, length), out DhcpV4View view));
        Assert.Equal((DhcpV4View.BootReply, 0xCAFEBABE, 0x525400123456UL, true), (view.Op, view.TransactionId, view.HardwareAddress, view.WantsBroadcast));
        Assert.Equal((0u, Guest, Gateway, 0u), (view.ClientAddress, view.YourAddress, view.ServerAddress, view.RelayAddress));
        Assert.Equal(DhcpV4MessageType.Offer, view.MessageType);
        Assert.True(view.TryGetUInt32(DhcpV4Option.LeaseTime, out uint lease));
        Assert.Equal(86_400u, lease);
        Assert.False(view.TryGetUInt32(DhcpV4Option.DnsServer, out _));
        Assert.True(view.TryGetOption(DhcpV4Option.DnsServer, out ReadOnlySpan<byte> dns));
        Assert.Equal([10, 0, 2, 3, 8, 8, 8, 8], dns.ToArray());
        Assert.True(view.TryGetOption(DhcpV4Option.DomainSearch, out ReadOnlySpan<byte> search));
        Assert.Equal("\u0007example\u0003org\0\u0004corp\u0007example\0", System.Text.Encoding.ASCII.GetString(search));
        Assert.False(view.TryGetOption(DhcpV4Option.Router, out _));
    }

    [Fact]
    public void V4_options_moved_into_file_and_sname_are_found()
    {
        byte[] message = new byte[300];
        DhcpV4Writer writer = new(message, DhcpV4View.BootRequest, 1, 2, broadcast: false);
        writer.AddByte(DhcpV4Option.Overload, 3);
        writer.Finish();
        byte[] file = [DhcpV4Option.MessageType, 1, 3, DhcpV4Option.End];
        byte[] sname = [0, DhcpV4Option.HostName, 2, (byte)'v', (byte)'m', DhcpV4Option.End];
        file.CopyTo(message, 108);
        sname.CopyTo(message, 44);
        Assert.True(DhcpV4View.TryParse(message, out DhcpV4View view));
        Assert.Equal(DhcpV4MessageType.Request, view.MessageType);
        Assert.True(view.TryGetOption(DhcpV4Option.HostName, out ReadOnlySpan<byte> name));
        Assert.Equal("vm"u8.ToArray(), name.ToArray());
    }

    [Fact]
    public void V4_message_of_another_kind_is_refused()
    {
        byte[] message = new byte[300];
        DhcpV4Writer writer = new(message, DhcpV4View.BootRequest, 1, 2, broadcast: false);
        writer.Finish();
        Assert.True(DhcpV4View.TryParse(message, out DhcpV4View view));
        Assert.Equal(DhcpV4MessageType.None, view.MessageType);
        Assert.False(DhcpV4View.TryParse(message.AsSpan(0, 239), out _));
        message[1] = 6;
        Assert.False(DhcpV4View.TryParse(message, out _));
        message[1] = 1;
        message[236] = 0;
        Assert.False(DhcpV4View.TryParse(message, out _));
    }

    [Fact]
    public void V4_options_that_do_not_fit_are_left_out_and_the_rest_stays_right()
    {
        byte[] message = new byte[300];
        DhcpV4Writer writer = new(message, DhcpV4View.BootReply, 1, 2, broadcast: false);
        Assert.True(writer.Add(DhcpV4Option.VendorClass, new byte[50]));
        Assert.False(writer.Add(DhcpV4Option.HostName, new byte[6]));
        Assert.True(writer.Add(DhcpV4Option.HostName, new byte[5]));
        Assert.Equal(300, writer.Finish());
        Assert.Equal(DhcpV4Option.End, message[299]);
        Assert.True(DhcpV4View.TryParse(message, out DhcpV4View view));
        Assert.True(view.TryGetOption(DhcpV4Option.HostName, out ReadOnlySpan<byte> name));
        Assert.Equal(5, name.Length);
    }

    [Fact]
    public void V4_long_search_list_is_split_over_options()
    {
        byte[] message = new byte[1400];
        string[] domains = [.. Enumerable.Range(0, 20).Select(i => $"department-{i:D2}.example.org")];
        DhcpV4Writer writer = new(message, DhcpV4View.BootReply, 1, 2, broadcast: false);
        Assert.True(writer.AddDomainSearch(domains));
        int length = writer.Finish();
        Assert.True(DhcpV4View.TryParse(message.AsSpan(0, length), out DhcpV4View view));
        List<byte> joined = [];
        DhcpV4OptionReader options = view.Options;
        while (options.MoveNext())
        {
            if (options.Code == DhcpV4Option.DomainSearch) joined.AddRange(options.Data);
        }

        byte[] all = [.. joined];
        int offset = 0;
        byte[] name = new byte[255];
        foreach (string domain in domains)
        {
            Assert.True(DnsName.TryRead(all, ref offset, name, out int nameLength));
            Assert.Equal(domain, DnsName.ToText(name.AsSpan(0, nameLength)));
        }

        Assert.Equal(all.Length, offset);
    }

    [Fact]
    public void V6_reply_with_an_address_reads_back_whole()
    {
        UInt128 address = new(0xFD00_0000_0000_0000, 0x15);
        byte[] message = new byte[512];
        DhcpV6Writer writer = new(message, DhcpV6MessageType.Reply, 0xABCDEF);
        writer.Add(DhcpV6Option.ClientId, [0, 1, 2, 3]);
        writer.Add(DhcpV6Option.ServerId, [0, 3, 0, 1, 2, 0, 0, 0, 0, 1]);
        int association = writer.BeginIaNa(0x1234, 1800, 2880);
        writer.AddIaAddress(address, 3600, 7200);
        writer.AddStatus(DhcpV6Status.Success, "yours");
        writer.End(association);
        writer.AddAddresses(DhcpV6Option.DnsServers, [address + 1]);
        writer.AddDomains(DhcpV6Option.DomainList, ["example.org"]);
        writer.AddByte(DhcpV6Option.Preference, 255);
        Assert.False(writer.Overflowed);

        Assert.True(DhcpV6View.TryParse(message.AsSpan(0, writer.Length), out DhcpV6View view));
        Assert.Equal((DhcpV6MessageType.Reply, 0xABCDEFu), (view.Type, view.TransactionId));
        DhcpV6OptionReader options = view.Options;
        List<ushort> codes = [];
        while (options.MoveNext())
        {
            codes.Add(options.Code);
            if (!options.TryReadIaNa(out uint id, out DhcpV6OptionReader inner)) continue;
            Assert.Equal(0x1234u, id);
            Assert.True(inner.MoveNext());
            Assert.True(inner.TryReadIaAddress(out UInt128 got, out uint preferred, out uint valid));
            Assert.Equal((address, 3600u, 7200u), (got, preferred, valid));
            Assert.True(inner.MoveNext());
            Assert.Equal(DhcpV6Option.StatusCode, inner.Code);
            Assert.Equal("\0\0yours"u8.ToArray(), inner.Data.ToArray());
            Assert.False(inner.MoveNext());
        }

        Assert.Equal([DhcpV6Option.ClientId, DhcpV6Option.ServerId, DhcpV6Option.IaNa, DhcpV6Option.DnsServers, DhcpV6Option.DomainList, DhcpV6Option.Preference], codes);
    }

    [Fact]
    public void V6_option_request_is_looked_through()
    {
        byte[] message = new byte[64];
        DhcpV6Writer writer = new(message, DhcpV6MessageType.InformationRequest, 1);
        writer.Add(DhcpV6Option.OptionRequest, [0, 23, 0, 24]);
        Assert.True(DhcpV6View.TryParse(message.AsSpan(0, writer.Length), out DhcpV6View view));
        Assert.True(view.Requests(DhcpV6Option.DnsServers) && view.Requests(DhcpV6Option.DomainList));
        Assert.False(view.Requests(DhcpV6Option.SolMaxRt));
    }

    [Fact]
    public void V6_message_that_is_cut_or_relayed_is_refused()
    {
        byte[] message = new byte[64];
        DhcpV6Writer writer = new(message, DhcpV6MessageType.Solicit, 1);
        writer.Add(DhcpV6Option.ClientId, [1, 2, 3, 4]);
        Assert.True(DhcpV6View.TryParse(message.AsSpan(0, writer.Length), out _));
        Assert.False(DhcpV6View.TryParse(message.AsSpan(0, writer.Length - 1), out _));
        Assert.False(DhcpV6View.TryParse(message.AsSpan(0, 3), out _));
        message[0] = (byte)DhcpV6MessageType.RelayForward;
        Assert.False(DhcpV6View.TryParse(message.AsSpan(0, writer.Length), out _));
    }

    [Fact]
    public void V6_options_that_do_not_fit_are_left_out()
    {
        byte[] message = new byte[20];
        DhcpV6Writer writer = new(message, DhcpV6MessageType.Reply, 1);
        writer.Add(DhcpV6Option.ClientId, new byte[12]);
        Assert.False(writer.Overflowed);
        writer.End(writer.BeginIaNa(1, 2, 3));
        writer.AddIaAddress(1, 2, 3);
        Assert.True(writer.Overflowed);
        Assert.Equal(20, writer.Length);
        Assert.True(DhcpV6View.TryParse(message, out _));
    }

    [Fact]
    public void Any_bytes_are_refused_or_readable() =>
        Gen.Byte.Array[0, 400].Sample(bytes =>
        {
            if (bytes.Length > 240)
            {
                (bytes[1], bytes[2]) = (1, 6);
                new byte[] { 0x63, 0x82, 0x53, 0x63 }.CopyTo(bytes, 236);
            }

            Touch.All(bytes);
        });
}
