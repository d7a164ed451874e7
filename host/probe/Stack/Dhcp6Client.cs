using System.Buffers.Binary;

namespace NicHost.Probe.Stack;

/// <summary>What a DHCPv6 server gave.</summary>
public sealed record Lease6
{
    public Ip Address { get; init; }
    public uint PreferredSeconds { get; init; }
    public uint ValidSeconds { get; init; }
    public IReadOnlyList<Ip> DnsServers { get; init; } = [];
    public IReadOnlyList<string> SearchDomains { get; init; } = [];
}

/// <summary>A DHCPv6 client (RFC 8415) for one address: solicit, request; asks again every second. Leaves the stack's address alone.</summary>
public sealed class Dhcp6Client : IDisposable
{
    private const uint Iaid = 1;

    private readonly ProbeStack _stack;
    private readonly UdpPort _port;
    private readonly byte[] _message = new byte[256];
    private readonly bool _informationOnly;
    private uint _transaction = 0x4e4801;
    private byte[]? _server;
    private long _nextMs;

    /// <summary>A client which has not asked yet.</summary>
    /// <param name="stack">Where it lives.</param>
    /// <param name="informationOnly">Ask for servers and domains, not for an address.</param>
    public Dhcp6Client(ProbeStack stack, bool informationOnly = false)
    {
        _stack = stack;
        _informationOnly = informationOnly;
        _port = stack.OpenUdp(546);
        _port.Received = Receive;
    }

    /// <summary>The lease, once there is one.</summary>
    public Lease6? Lease { get; private set; }

    /// <summary>Goes on; true when there is a lease.</summary>
    public bool Step()
    {
        if (Lease is not null) return true;
        if (_stack.NowMs < _nextMs) return false;
        if (Send()) _nextMs = _stack.NowMs + 1000;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _stack.Close(_port);

    private bool Send()
    {
        var m = _message.AsSpan();
        var kind = _informationOnly ? 11u : _server is null ? 1u : 3u;
        BinaryPrimitives.WriteUInt32BigEndian(m, (kind << 24) | _transaction);
        var at = 4;
        Span<byte> duid = stackalloc byte[10];
        BinaryPrimitives.WriteUInt32BigEndian(duid, 0x0003_0001);
        _stack.Mac.CopyTo(duid[4..]);
        Put(m, ref at, 1, duid);
        if (_server is not null) Put(m, ref at, 2, _server);
        Put(m, ref at, 8, [0, 0]);
        Put(m, ref at, 6, [0, 23, 0, 24]);
        Span<byte> association = stackalloc byte[12];
        association.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(association, Iaid);
        if (!_informationOnly) Put(m, ref at, 3, association);
        return _stack.SendUdp(_port, Ip.AllDhcpServers, 547, m[..at]);
    }

    private static void Put(Span<byte> message, ref int at, ushort code, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message[at..], code);
        BinaryPrimitives.WriteUInt16BigEndian(message[(at + 2)..], (ushort)value.Length);
        value.CopyTo(message[(at + 4)..]);
        at += value.Length + 4;
    }

    private static bool Next(ref ReadOnlySpan<byte> options, out ushort code, out ReadOnlySpan<byte> value)
    {
        code = 0;
        value = default;
        if (options.Length < 4) return false;
        code = BinaryPrimitives.ReadUInt16BigEndian(options);
        int length = BinaryPrimitives.ReadUInt16BigEndian(options[2..]);
        if (length > options.Length - 4) return false;
        value = options.Slice(4, length);
        options = options[(4 + length)..];
        return true;
    }

    private void Receive(Ip source, ushort sourcePort, ReadOnlySpan<byte> m)
    {
        if (m.Length < 4 || sourcePort != 547) return;
        var head = BinaryPrimitives.ReadUInt32BigEndian(m);
        if ((head & 0xff_ffff) != _transaction) return;
        var lease = new Lease6();
        byte[]? server = null;
        var rest = m[4..];
        while (Next(ref rest, out var code, out var value))
        {
            switch (code)
            {
                case 2: server = value.ToArray(); break;
                case 3 when value.Length >= 12: lease = ReadAddress(lease, value[12..]); break;
                case 23: lease = lease with { DnsServers = [.. value.ToArray().Chunk(16).Where(c => c.Length == 16).Select(c => Ip.Read(c))] }; break;
                case 24:
                    var names = new List<string>();
                    DnsName.ReadList(value, names);
                    lease = lease with { SearchDomains = names };
                    break;
            }
        }
        switch (head >> 24)
        {
            case 2 when _server is null && server is not null:
                _server = server;
                _transaction++;
                _nextMs = 0;
                break;
            case 7 when _informationOnly || !lease.Address.IsZero:
                Lease = lease;
                break;
        }
    }

    private static Lease6 ReadAddress(Lease6 lease, ReadOnlySpan<byte> options)
    {
        while (Next(ref options, out var code, out var value))
        {
            if (code != 5 || value.Length < 24) continue;
            lease = lease with
            {
                Address = Ip.Read(value[..16]),
                PreferredSeconds = BinaryPrimitives.ReadUInt32BigEndian(value[16..]),
                ValidSeconds = BinaryPrimitives.ReadUInt32BigEndian(value[20..]),
            };
        }
        return lease;
    }
}
