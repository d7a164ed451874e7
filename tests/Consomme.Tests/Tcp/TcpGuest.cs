using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using NicHost.Consomme.Core;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>A guest that speaks TCP segment by segment, towards real sockets on the host's loopback. Time stands until the test moves it.</summary>
internal sealed class TcpGuest : IDisposable
{
    public TcpGuest(string options = """{ "hostLoopback": true }""", OffloadSet accepted = OffloadSet.None, int mtu = 1500, int buffers = 256)
    {
        Time = new FakeTimeProvider();
        Guest = new Guest(options, accepted, mtu, Time, buffers);
        Listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Listener.Listen(512);
    }

    public FakeTimeProvider Time { get; }

    public Guest Guest { get; }

    /// <summary>A server on the host.</summary>
    public Socket Listener { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ushort ServerPort => (ushort)((IPEndPoint)Listener.LocalEndPoint!).Port;

    public void Send(Segment segment) => Guest.Send(segment.ToFrame(), segment.Offload);

    public Segment Receive()
    {
        while (true)
        {
            var frame = Guest.ReceiveFrame();
            if (IsTcp(frame)) return Segment.Parse(frame);
        }
    }

    /// <summary>Takes everything that has come, after the loop is idle.</summary>
    public List<Segment> ReceiveAll()
    {
        Guest.Loop.RunUntilIdle();
        var all = Guest.Device.Received.Where(IsTcp).Select(Segment.Parse).ToList();
        Guest.Device.Received.Clear();
        return all;
    }

    // Time brings router advertisements too.
    private static bool IsTcp(NicHost.Testing.ReceivedFrame frame) => frame.Bytes[frame.Bytes[12] == 0x08 ? 23 : 20] == 6;

    /// <summary>Moves time and lets the timers run.</summary>
    public void Pass(TimeSpan time)
    {
        Time.Advance(time);
        Guest.Loop.RunUntilIdle();
    }

    /// <summary>Opens a connection to the server and returns both ends.</summary>
    public (Peer Peer, Socket Server) Connect(
        uint isn = 1000, ushort port = 40000, byte[]? options = null, ushort window = 65535, ushort? serverPort = null)
    {
        var peer = new Peer(this) { Port = port, ServerPort = serverPort ?? ServerPort, Next = isn };
        peer.Send(TcpFlags.Syn, options: options ?? Segment.MssOption(1460), window: window);
        peer.Next++;
        var answer = Receive();
        Assert.True(answer.Is(TcpFlags.Syn | TcpFlags.Ack), $"Got {answer.Flags}.");
        Assert.Equal(isn + 1, answer.Ack);
        peer.Take(answer);
        peer.SynAck = answer;
        peer.Send(TcpFlags.Ack, window: window);
        var server = Listener.Accept();
        server.NoDelay = true;
        server.ReceiveTimeout = server.SendTimeout = 2000;
        return (peer, server);
    }

    /// <summary>Reads exactly so many bytes at the server, turning the guest's loop meanwhile.</summary>
    public byte[] ReadServer(Socket server, int count)
    {
        var data = new byte[count];
        var got = 0;
        Guest.WaitUntil(() =>
        {
            while (got < count && server.Available > 0) got += server.Receive(data, got, count - got, SocketFlags.None);
            return got == count;
        }, $"{count} bytes at the server");
        return data;
    }

    /// <summary>The protocol itself, for what only a test switches.</summary>
    public TcpProtocol Protocol
    {
        get
        {
            var endpoint = Field(Guest, "_endpoint");
            return (TcpProtocol)Field(Field(endpoint, "_nat"), "_tcp");
            static object Field(object of, string name) =>
                of.GetType().GetField(name, System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(of)!;
        }
    }

    public long Number(string path) => Guest.Number($"tcp.{path}");

    /// <summary>A number of the only flow.</summary>
    public long FlowNumber(string name)
    {
        var list = Guest.Inspect().Children.Single(c => c.Name == "tcp").Children.Single(c => c.Name == "list");
        var value = list.Children.Single().Children.Single(c => c.Name == name).Value;
        return Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        Guest.Dispose();
        Listener.Dispose();
    }
}

/// <summary>The guest's end of one connection: counts numbers, nothing more.</summary>
internal sealed class Peer(TcpGuest guest)
{
    public ushort Port { get; init; }
    public ushort ServerPort { get; init; }
    public IpAddr Remote { get; init; } = Guest.Gateway;
    public IpAddr Local { get; init; } = Guest.Address;

    /// <summary>The next number to send.</summary>
    public uint Next { get; set; }

    /// <summary>The next number expected.</summary>
    public uint Expected { get; set; }

    public Segment SynAck { get; set; } = new();

    public Segment Make(TcpFlags flags, byte[]? payload = null, byte[]? options = null, ushort window = 65535, uint? seq = null, uint? ack = null) => new()
    {
        From = Local,
        To = Remote,
        FromPort = Port,
        ToPort = ServerPort,
        Seq = seq ?? Next,
        Ack = ack ?? ((flags & TcpFlags.Ack) != 0 ? Expected : 0),
        Flags = flags,
        Window = window,
        Options = options ?? [],
        Payload = payload ?? [],
    };

    /// <summary>Sends without counting on.</summary>
    public void Send(TcpFlags flags, byte[]? payload = null, byte[]? options = null, ushort window = 65535, uint? seq = null, uint? ack = null) =>
        guest.Send(Make(flags, payload, options, window, seq, ack));

    /// <summary>Sends data and counts it.</summary>
    public void SendData(byte[] payload, TcpFlags more = TcpFlags.None)
    {
        Send(TcpFlags.Ack | TcpFlags.Psh | more, payload);
        Next += (uint)payload.Length + ((more & TcpFlags.Fin) != 0 ? 1u : 0);
    }

    /// <summary>Counts a segment received in order.</summary>
    public Segment Take(Segment segment)
    {
        if ((segment.Flags & TcpFlags.Syn) == 0 && segment.Length > 0) Assert.Equal(Expected, segment.Seq);
        if (segment.Length > 0) Expected = segment.Seq + segment.Length;
        return segment;
    }

    public Segment Receive() => Take(guest.Receive());
}
