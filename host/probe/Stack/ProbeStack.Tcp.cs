using System.Buffers.Binary;
using System.Security.Cryptography;
using NicHost.Contracts.Frames;

namespace NicHost.Probe.Stack;

/// <summary>Decides what becomes of a connection that a peer opens; null refuses it.</summary>
public delegate (ITcpSource Source, ITcpSink Sink)? TcpAcceptor(Ip remote, ushort remotePort);

/// <content>TCP: finding connections, opening and accepting them.</content>
public sealed unsafe partial class ProbeStack
{
    private const int TickMs = 5;

    private readonly Dictionary<FlowKey, TcpConnection> _byKey = [];
    private readonly List<TcpConnection> _connections = [];
    private readonly List<TcpConnection> _work = [];
    private readonly Dictionary<ushort, (TcpAcceptor Accept, TcpOptions Options)> _listeners = [];
    private long _nextTickMs;

    /// <summary>Whether something waits for room in a ring or for a neighbour.</summary>
    public bool HasUnsent => _work.Count > 0;

    /// <summary>Connections that are not closed.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>Called when a passive connection is made.</summary>
    public Action<TcpConnection>? Accepted { get; set; }

    /// <summary>Opens a connection. It is up when <see cref="TcpConnection.IsOpen"/> says so.</summary>
    public TcpConnection Connect(Ip remote, ushort port, ITcpSource source, ITcpSink sink, TcpOptions? options = null, ushort localPort = 0)
    {
        var key = new FlowKey(remote, port, localPort != 0 ? localPort : NextPort());
        while (_byKey.ContainsKey(key)) key = key with { LocalPort = NextPort() };
        var connection = new TcpConnection(this, SourceFor(remote), key, options ?? TcpOptions.Default, source, sink, NewSequence(), TcpState.SynSent);
        Add(connection);
        Touch(connection);
        return connection;
    }

    /// <summary>Accepts connections to a port.</summary>
    public void Listen(ushort port, TcpAcceptor accept, TcpOptions? options = null) => _listeners[port] = (accept, options ?? TcpOptions.Default);

    /// <summary>Whether datagrams may be sent as super-frames (USO).</summary>
    public bool SegmentsDatagrams => (_link.TxOffloads & OffloadSet.UsoV4) != 0;

    internal bool CanSegment(bool v6) => (_link.TxOffloads & (v6 ? OffloadSet.TsoV6 : OffloadSet.TsoV4)) != 0;

    internal void Touch(TcpConnection connection)
    {
        if (connection.InWork || connection.State == TcpState.Closed) return;
        connection.InWork = true;
        _work.Add(connection);
    }

    internal void Remove(TcpConnection connection)
    {
        _byKey.Remove(connection.Key);
        var last = _connections[^1];
        _connections[connection.ListIndex] = last;
        last.ListIndex = connection.ListIndex;
        _connections.RemoveAt(_connections.Count - 1);
    }

    private static uint NewSequence() => (uint)RandomNumberGenerator.GetInt32(int.MaxValue);

    private void Add(TcpConnection connection)
    {
        connection.ListIndex = _connections.Count;
        _connections.Add(connection);
        _byKey.Add(connection.Key, connection);
    }

    private bool PollTcp()
    {
        if (NowMs >= _nextTickMs)
        {
            _nextTickMs = NowMs + TickMs;
            for (var i = _connections.Count - 1; i >= 0; i--) if (i < _connections.Count) _connections[i].Tick();
        }
        var count = _work.Count;
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            var connection = _work[i];
            if (connection.State == TcpState.Closed || connection.Output()) connection.InWork = false;
            else _work[kept++] = connection;
        }
        for (var i = count; i < _work.Count; i++) _work[kept++] = _work[i];
        _work.RemoveRange(kept, _work.Count - kept);
        return count > 0;
    }

    private void ReceiveTcp(in IpPacket packet)
    {
        var start = packet.Start;
        var headerLength = start.Length < Proto.TcpHeader ? 0 : start[12] >> 4 << 2;
        if (headerLength < Proto.TcpHeader || headerLength > start.Length)
        {
            Faults.Report("TCP segment without a whole header");
            return;
        }
        if (!ChecksumHolds(packet, 16)) return;
        var header = start[..headerLength];
        var key = new FlowKey(packet.Source, BinaryPrimitives.ReadUInt16BigEndian(header), BinaryPrimitives.ReadUInt16BigEndian(header[2..]));
        if (_byKey.TryGetValue(key, out var connection)) connection.Input(packet, header);
        else if ((header[13] & 0x17) == (byte)TcpFlags.Syn) ReceiveSyn(packet, key, header);
        else if ((header[13] & (byte)TcpFlags.Rst) == 0) Refuse(packet, key, header);
    }

    private void ReceiveSyn(in IpPacket packet, FlowKey key, ReadOnlySpan<byte> header)
    {
        if (!_listeners.TryGetValue(key.LocalPort, out var listener) || listener.Accept(key.Remote, key.RemotePort) is not { } streams)
        {
            Refuse(packet, key, header);
            return;
        }
        var connection = new TcpConnection(this, packet.Destination, key, listener.Options, streams.Source, streams.Sink, NewSequence(), TcpState.SynReceived);
        connection.AcceptSyn(header);
        Add(connection);
        Touch(connection);
        Accepted?.Invoke(connection);
    }

    // RFC 9293, 3.10.7.1: what belongs to nothing is reset.
    private void Refuse(in IpPacket packet, FlowKey key, ReadOnlySpan<byte> header)
    {
        var flags = (TcpFlags)header[13];
        Span<byte> reset = stackalloc byte[Proto.TcpHeader];
        reset.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(reset, key.LocalPort);
        BinaryPrimitives.WriteUInt16BigEndian(reset[2..], key.RemotePort);
        reset[12] = 0x50;
        reset[13] = (byte)TcpFlags.Rst;
        if ((flags & TcpFlags.Ack) != 0)
        {
            header.Slice(8, 4).CopyTo(reset[4..]);
        }
        else
        {
            reset[13] |= (byte)TcpFlags.Ack;
            var length = (uint)(packet.Length - header.Length + ((flags & TcpFlags.Syn) != 0 ? 1 : 0) + ((flags & TcpFlags.Fin) != 0 ? 1 : 0));
            BinaryPrimitives.WriteUInt32BigEndian(reset[8..], BinaryPrimitives.ReadUInt32BigEndian(header[4..]) + length);
        }
        var answer = new OutPacket
        {
            Source = packet.Destination,
            Destination = packet.Source,
            Protocol = Proto.Tcp,
            Header = reset,
            ChecksumOffset = 16,
            Checksum = ChecksumKind.Offloaded,
        };
        Answer(ref answer);
    }

    private void NoteTcpError(FlowKey key, byte type, byte code)
    {
        if (_byKey.TryGetValue(key, out var connection) && connection.State == TcpState.SynSent)
            connection.Drop($"ICMP type {type} code {code}");
    }
}
