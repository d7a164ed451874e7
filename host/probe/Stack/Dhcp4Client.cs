using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace NicHost.Probe.Stack;

/// <summary>What a DHCPv4 server gave.</summary>
public sealed record Lease4
{
    public required Ip Address { get; init; }
    public int PrefixLength { get; init; } = 24;
    public Ip Router { get; init; }
    public Ip Server { get; init; }
    public IReadOnlyList<Ip> DnsServers { get; init; } = [];
    public int? Mtu { get; init; }
    public string? Domain { get; init; }
    public IReadOnlyList<string> SearchDomains { get; init; } = [];
    public uint LeaseSeconds { get; init; }
    public uint? RenewSeconds { get; init; }
    public uint? RebindSeconds { get; init; }
}

/// <summary>A DHCPv4 client (RFC 2131): discover, request; asks again every second. <see cref="Step"/> is called until it says true.</summary>
public sealed class Dhcp4Client : IDisposable
{
    private const uint Cookie = 0x6382_5363;
    private const int FixedLength = 240;

    private readonly ProbeStack _stack;
    private readonly UdpPort _port;
    private readonly uint _transaction;
    private readonly byte[] _message = new byte[576];
    private Ip _offered;
    private Ip _server;
    private long _nextMs;

    /// <summary>A client which has not asked yet.</summary>
    public Dhcp4Client(ProbeStack stack, uint transaction = 0x4e48_0001)
    {
        _stack = stack;
        _transaction = transaction;
        _port = stack.OpenUdp(68);
        _port.Received = Receive;
    }

    /// <summary>The lease, once there is one; the stack has been configured with it then.</summary>
    public Lease4? Lease { get; private set; }

    /// <summary>Whether the server refused (DHCPNAK).</summary>
    public bool Refused { get; private set; }

    /// <summary>Goes on; true when there is a lease or a refusal.</summary>
    public bool Step()
    {
        if (Lease is not null || Refused) return true;
        if (_stack.NowMs < _nextMs) return false;
        if (Send()) _nextMs = _stack.NowMs + 1000;
        return false;
    }

    /// <summary>Asks to keep the lease; <see cref="Lease"/> is null until the answer comes.</summary>
    public void Renew()
    {
        _offered = Lease!.Address;
        Lease = null;
        _nextMs = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _stack.Close(_port);

    private bool Send()
    {
        var m = _message.AsSpan();
        m.Clear();
        m[0] = 1;
        m[1] = 1;
        m[2] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(m[4..], _transaction);
        _stack.Address4.CopyTo(m[12..]);
        _stack.Mac.CopyTo(m[28..]);
        BinaryPrimitives.WriteUInt32BigEndian(m[236..], Cookie);
        var at = FixedLength;
        Put(m, ref at, 53, [_offered.IsZero ? (byte)1 : (byte)3]);
        Span<byte> four = stackalloc byte[4];
        if (!_offered.IsZero && _stack.Address4.IsZero)
        {
            _offered.CopyTo(four);
            Put(m, ref at, 50, four);
            _server.CopyTo(four);
            Put(m, ref at, 54, four);
        }
        Put(m, ref at, 55, [1, 3, 6, 15, 26, 51, 58, 59, 119]);
        Put(m, ref at, 12, "probe"u8);
        m[at++] = 255;
        return _stack.SendUdp(_port, _stack.Address4.IsZero ? Ip.Broadcast : _server, 67, m[..Math.Max(at, 300)]);
    }

    private static void Put(Span<byte> message, ref int at, byte code, ReadOnlySpan<byte> value)
    {
        message[at] = code;
        message[at + 1] = (byte)value.Length;
        value.CopyTo(message[(at + 2)..]);
        at += value.Length + 2;
    }

    private void Receive(Ip source, ushort sourcePort, ReadOnlySpan<byte> m)
    {
        if (m.Length < FixedLength || m[0] != 2 || BinaryPrimitives.ReadUInt32BigEndian(m[4..]) != _transaction) return;
        if (BinaryPrimitives.ReadUInt32BigEndian(m[236..]) != Cookie || sourcePort != 67) return;
        var options = new Dictionary<byte, byte[]>();
        for (var at = FixedLength; at + 1 < m.Length && m[at] != 255;)
        {
            if (m[at] == 0)
            {
                at++;
                continue;
            }
            int length = m[at + 1];
            if (at + 2 + length > m.Length) break;
            var value = m.Slice(at + 2, length).ToArray();

            // A long option comes in parts (RFC 3396).
            options[m[at]] = options.TryGetValue(m[at], out var before) ? [.. before, .. value] : value;
            at += length + 2;
        }
        if (!options.TryGetValue(53, out var kind) || kind.Length != 1) return;
        var address = Ip.Read(m.Slice(16, 4));
        switch (kind[0])
        {
            case 2 when _offered.IsZero:
                _offered = address;
                _server = options.TryGetValue(54, out var id) && id.Length == 4 ? Ip.Read(id) : source;
                _nextMs = 0;
                break;
            case 5 when !_offered.IsZero:
                Bind(address, options);
                break;
            case 6:
                Refused = true;
                break;
        }
    }

    private void Bind(Ip address, Dictionary<byte, byte[]> options)
    {
        var search = new List<string>();
        if (options.TryGetValue(119, out var domains)) DnsName.ReadList(domains, search);
        Lease = new Lease4
        {
            Address = address,
            PrefixLength = Number(options, 1) is { } mask ? BitOperations.PopCount(mask) : 24,
            Router = First(options, 3),
            Server = _server,
            DnsServers = options.TryGetValue(6, out var servers) ? [.. servers.Chunk(4).Where(c => c.Length == 4).Select(c => Ip.Read(c))] : [],
            Mtu = options.TryGetValue(26, out var mtu) && mtu.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(mtu) : null,
            Domain = options.TryGetValue(15, out var domain) ? Encoding.ASCII.GetString(domain).TrimEnd('\0') : null,
            SearchDomains = search,
            LeaseSeconds = Number(options, 51) ?? 0,
            RenewSeconds = Number(options, 58),
            RebindSeconds = Number(options, 59),
        };
        _stack.Address4 = Lease.Address;
        _stack.PrefixLength4 = Lease.PrefixLength;
        _stack.Router4 = Lease.Router;
    }

    private static uint? Number(Dictionary<byte, byte[]> options, byte code) =>
        options.TryGetValue(code, out var value) && value.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(value) : null;

    private static Ip First(Dictionary<byte, byte[]> options, byte code) =>
        options.TryGetValue(code, out var value) && value.Length >= 4 ? Ip.Read(value.AsSpan(0, 4)) : default;
}
