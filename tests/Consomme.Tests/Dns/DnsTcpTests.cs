using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Consomme.Core;
using NicHost.Consomme.Dns;
using NicHost.Consomme.Icmp;
using NicHost.Consomme.Ip;
using NicHost.Consomme.Options;
using NicHost.Consomme.Udp;
using NicHost.Loops;

namespace NicHost.Consomme.Tests.Dns;

public sealed class DnsTcpTests : IDisposable
{
    private readonly EventLoop _loop = new("dns");
    private readonly FakeDnsServer _server = new(q => FakeDnsServer.Reply(q, addresses: [192, 0, 2, 7]));
    private readonly DnsForwarder _forwarder;
    private readonly DnsTcpService _service;

    public DnsTcpTests()
    {
        _loop.RunOnce();
        var options = new ConsommeOptions { Dns = new DnsOptions { Servers = [_server.Text] } };
        var settings = ConsommeSettings.Read(options, []);
        var network = settings.Network(Guest.Mac, 1500);
        var port = new GuestPort(_loop);
        var context = new NatContext
        {
            Network = network,
            Port = port,
            Loop = _loop,
            Icmp = new IcmpErrors(network, port, _loop),
            Model = new NatModel(network, settings),
            GuestAddresses = new GuestAddresses(network),
            Logger = NullLogger.Instance,
            ReportTrouble = _ => { },
        };
        _forwarder = new DnsForwarder(context, new UdpEgress(context, new IpSender(network, port)));
        _service = new DnsTcpService(context, _forwarder);
    }

    [Fact]
    public void Questions_in_one_stream_are_asked_by_tcp_and_answered_each()
    {
        using var client = Connect(admit: true);
        byte[][] questions = [DnsText.Question("a.example.org", 1, 1), DnsText.Question("b.example.org", 1, 2)];
        byte[] stream = [.. questions.SelectMany(q => new[] { (byte)(q.Length >> 8), (byte)q.Length }.Concat(q))];
        // In two pieces that fit no boundary.
        client.Send(stream.AsSpan(0, 33));
        for (var i = 0; i < 5; i++) _loop.RunOnce(10);
        client.Send(stream.AsSpan(33));
        var ids = new HashSet<int>();
        for (var i = 0; i < 2; i++)
        {
            var answer = Receive(client);
            ids.Add(BinaryPrimitives.ReadUInt16BigEndian(answer));
            Assert.Contains("192.0.2.7", DnsText.Show(answer), StringComparison.Ordinal);
        }
        Assert.Equal([1, 2], ids.Order());
        Assert.Equal((0, 2), (_server.UdpQuestions, _server.TcpQuestions));
    }

    [Fact]
    public void Stranger_on_the_host_is_reset()
    {
        using var client = Connect(admit: false);
        for (var i = 0; i < 5; i++) _loop.RunOnce(10);
        Assert.Throws<SocketException>(() => client.Receive(new byte[1]));
    }

    [Fact]
    public void Client_that_leaves_takes_its_questions_along()
    {
        using (var client = Connect(admit: true))
        {
            var question = DnsText.Question("a.example.org", 1, 1);
            client.Send([0, (byte)question.Length, .. question]);
        }
        for (var i = 0; i < 20; i++) _loop.RunOnce(10);
        Assert.Equal(0, _forwarder.InFlight);
    }

    [Fact]
    public void Stream_out_of_step_is_closed()
    {
        using var client = Connect(admit: true);
        client.Send([0, 1, 0, 0, 0]);
        for (var i = 0; i < 10; i++) _loop.RunOnce(10);
        Assert.True(EndOf(client));

        static bool EndOf(Socket client)
        {
            try
            {
                return client.Receive(new byte[1]) == 0;
            }
            catch (SocketException)
            {
                return true; // a reset, because what was sent had not all been read
            }
        }
    }

    public void Dispose()
    {
        _service.Dispose();
        _forwarder.Dispose();
        _loop.Dispose();
        _server.Dispose();
    }

    private Socket Connect(bool admit)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        if (admit) _service.Admit((ushort)((IPEndPoint)client.LocalEndPoint!).Port);
        client.Connect(new IPEndPoint(IPAddress.Loopback, _service.Port));
        return client;
    }

    private byte[] Receive(Socket client)
    {
        var deadline = Environment.TickCount64 + 10_000;
        while (client.Available < 2 && Environment.TickCount64 < deadline) _loop.RunOnce(10);
        var prefix = new byte[2];
        client.Receive(prefix);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
        var got = 0;
        while (got < message.Length) got += client.Receive(message.AsSpan(got));
        return message;
    }
}
