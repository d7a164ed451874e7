using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>
/// A name server for a handful of names. <c>big.test</c> has more addresses than a datagram takes, so that its
/// answer over UDP is truncated (RFC 1035 section 4.1.1) and a client must come again over TCP.
/// </summary>
internal sealed class DnsZone(IPAddress self)
{
    public const int BigCount = 200;
    private const ushort A = 1, Ptr = 12, Aaaa = 28, Opt = 41;

    public byte[]? AnswerUdp(byte[] query, EndPoint from) => Answer(query, overUdp: true);

    public async Task ServeTcpAsync(Socket client, CancellationToken stop)
    {
        var head = new byte[2];
        while (await ReceiveAllAsync(client, head, stop))
        {
            var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
            if (!await ReceiveAllAsync(client, query, stop) || Answer(query, overUdp: false) is not { } answer)
                return;
            var framed = new byte[answer.Length + 2];
            BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)answer.Length);
            answer.CopyTo(framed, 2);
            await client.SendAsync(framed, stop);
        }
    }

    internal byte[]? Answer(byte[] query, bool overUdp)
    {
        if (query.Length < 17 || BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(4)) != 1)
            return null;
        var name = new StringBuilder();
        var at = 12;
        while (query[at] != 0)
        {
            name.Append(Encoding.ASCII.GetString(query, at + 1, query[at])).Append('.');
            at += query[at] + 1;
            if (at + 5 > query.Length)
                return null;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1));
        at += 5;
        // Room in the client's datagram: 512, or what its OPT record says (RFC 6891 section 6.2.3).
        var room = 512;
        if (query.Length >= at + 11 && query[at] == 0 && BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1)) == Opt)
            room = Math.Max(room, BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 3)));

        var records = Records(name.ToString().TrimEnd('.').ToLowerInvariant(), type, out var exists);
        var reply = new List<byte>(query[..at]);
        foreach (var (rtype, data) in records)
        {
            reply.AddRange([0xC0, 12, (byte)(rtype >> 8), (byte)rtype, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length]);
            reply.AddRange(data);
        }

        var truncated = overUdp && reply.Count > room;
        if (truncated)
            reply.RemoveRange(at, reply.Count - at);
        var bytes = reply.ToArray();
        bytes[2] = (byte)(0x84 | (query[2] & 1) | (truncated ? 2 : 0)); // QR, AA, the asker's RD, TC
        bytes[3] = (byte)(exists ? 0x80 : 0x83); // RA; NXDOMAIN
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), (ushort)(truncated ? 0 : records.Count));
        bytes.AsSpan(8, 4).Clear();
        return bytes;
    }

    private List<(ushort Type, byte[] Data)> Records(string name, ushort type, out bool exists)
    {
        exists = true;
        switch (name)
        {
            case "one.lab.test":
                return type switch
                {
                    A => [(A, NetnsLab.ServerAddress.GetAddressBytes())],
                    Aaaa => [(Aaaa, NetnsLab.ServerAddress6.GetAddressBytes())],
                    _ => [],
                };
            case "where.test":
                return type == A ? [(A, self.GetAddressBytes())] : [];
            case "big.test" when type == A:
                return [.. Enumerable.Range(0, BigCount).Select(i => (A, new byte[] { 192, 0, 2, (byte)i }))];
            case "big.test":
                return [];
            case "2.0.98.10.in-addr.arpa" when type == Ptr:
                return [(Ptr, [3, .. "one"u8, 3, .. "lab"u8, 4, .. "test"u8, 0])];
            default:
                exists = false;
                return [];
        }
    }

    private static async Task<bool> ReceiveAllAsync(Socket client, Memory<byte> into, CancellationToken stop)
    {
        while (!into.IsEmpty)
        {
            var n = await client.ReceiveAsync(into, stop);
            if (n == 0)
                return false;
            into = into[n..];
        }

        return true;
    }
}
