using System.Buffers.Binary;
using System.Text;

namespace NicHost.Probe.Stack;

/// <summary>One record of an answer.</summary>
public readonly record struct DnsRecord(string Name, ushort Type, uint TtlSeconds, string Text);

/// <summary>An answer.</summary>
public sealed record DnsAnswer(int ResponseCode, bool Truncated, IReadOnlyList<DnsRecord> Records);

/// <summary>One DNS question over UDP (RFC 1035), asked again every second.</summary>
public sealed class DnsQuery : IDisposable
{
    public const ushort A = 1;
    public const ushort Cname = 5;
    public const ushort Ptr = 12;
    public const ushort Aaaa = 28;

    private static ushort _nextId = 100;

    private readonly ProbeStack _stack;
    private readonly UdpPort _port;
    private readonly Ip _server;
    private readonly byte[] _question;
    private readonly ushort _id = _nextId++;
    private long _nextMs;

    /// <summary>A question which has not been sent yet.</summary>
    public DnsQuery(ProbeStack stack, Ip server, string name, ushort type)
    {
        _stack = stack;
        _server = server;
        _question = Build(_id, name, type);
        _port = stack.OpenUdp();
        _port.Received = Receive;
    }

    /// <summary>The answer, once it is there.</summary>
    public DnsAnswer? Answer { get; private set; }

    /// <summary>Goes on; true when there is an answer.</summary>
    public bool Step()
    {
        if (Answer is not null) return true;
        if (_stack.NowMs < _nextMs) return false;
        if (_stack.SendUdp(_port, _server, 53, _question)) _nextMs = _stack.NowMs + 1000;
        return false;
    }

    /// <summary>A query in wire form.</summary>
    public static byte[] Build(ushort id, string name, ushort type)
    {
        var message = new byte[300];
        BinaryPrimitives.WriteUInt16BigEndian(message, id);
        message[2] = 1;
        message[5] = 1;
        var at = 12 + DnsName.Write(name, message.AsSpan(12));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at), type);
        message[at + 3] = 1;
        return message[..(at + 4)];
    }

    /// <summary>Reads an answer; null when it is malformed.</summary>
    public static DnsAnswer? Parse(ReadOnlySpan<byte> m)
    {
        if (m.Length < 12 || (m[2] & 0x80) == 0) return null;
        var at = 12;
        for (var i = BinaryPrimitives.ReadUInt16BigEndian(m[4..]); i > 0; i--)
        {
            if (DnsName.Read(m, ref at) is null) return null;
            at += 4;
        }
        var records = new List<DnsRecord>();
        for (var i = BinaryPrimitives.ReadUInt16BigEndian(m[6..]); i > 0; i--)
        {
            var name = DnsName.Read(m, ref at);
            if (name is null || at + 10 > m.Length) return null;
            var type = BinaryPrimitives.ReadUInt16BigEndian(m[at..]);
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(m[(at + 4)..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(m[(at + 8)..]);
            at += 10;
            if (at + length > m.Length) return null;
            records.Add(new DnsRecord(name, type, ttl, Text(m, at, length, type)));
            at += length;
        }
        return new DnsAnswer(m[3] & 15, (m[2] & 2) != 0, records);
    }

    /// <inheritdoc/>
    public void Dispose() => _stack.Close(_port);

    private static string Text(ReadOnlySpan<byte> message, int at, int length, ushort type)
    {
        if (type is A or Aaaa && length is 4 or 16) return Ip.Read(message.Slice(at, length)).ToString();
        if (type is Cname or Ptr) return DnsName.Read(message, ref at) ?? "malformed";
        return Encoding.Latin1.GetString(message.Slice(at, length));
    }

    private void Receive(Ip source, ushort sourcePort, ReadOnlySpan<byte> payload)
    {
        if (source != _server || sourcePort != 53 || payload.Length < 12 || BinaryPrimitives.ReadUInt16BigEndian(payload) != _id) return;
        Answer = Parse(payload);
    }
}
