using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Consomme.Tcp;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class TcpQueueTests
{
    [Fact]
    public async Task Answers_go_to_the_queue_of_the_guests_last_frame_and_survive_its_end()
    {
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var port = (ushort)((IPEndPoint)listener.LocalEndPoint!).Port;
        using var loop = new EventLoop("queues", new FakeTimeProvider());
        loop.RunOnce();
        var endpoint = new ConsommeFactory().Create(new EndpointContext
        {
            Nic = new NicIdentity("vm", "eth0"),
            Mac = Guest.Mac,
            Mtu = 1500,
            Options = JsonDocument.Parse("""{ "hostLoopback": true }""").RootElement,
            BaseDirectory = "/",
            Loop = loop,
            Logging = NullLoggerFactory.Instance,
        });
        endpoint.Start(new FakeEndpointHost());
        using var first = new FakeDeviceQueue();
        using var second = new FakeDeviceQueue();
        var one = endpoint.OpenQueue(Config(loop, 0, first));
        var two = endpoint.OpenQueue(Config(loop, 1, second));
        using var tx = new TxBuilder();

        Send(two, new Segment { ToPort = port, Seq = 1, Flags = TcpFlags.Syn });
        var answer = Receive(second);
        Send(one, new Segment { ToPort = port, Seq = 2, Ack = answer.Seq + 1, Flags = TcpFlags.Ack });
        using var server = listener.Accept();
        server.Send(Frames.Pattern(10));
        Assert.Equal(Frames.Pattern(10), (Receive(first)).Payload);
        Send(two, new Segment { ToPort = port, Seq = 2, Ack = answer.Seq + 11, Flags = TcpFlags.Ack });
        server.Send(Frames.Pattern(20));
        Assert.Equal(Frames.Pattern(20), (Receive(second)).Payload);
        Send(two, new Segment { ToPort = port, Seq = 2, Ack = answer.Seq + 31, Flags = TcpFlags.Ack });
        two.Close();
        second.IsClosed = true;
        server.Send(Frames.Pattern(30));
        Assert.Equal(Frames.Pattern(30), (Receive(first)).Payload);

        one.Close();
        first.IsClosed = true;
        await endpoint.DisposeAsync();

        void Send(IEndpointQueue queue, Segment segment) => Assert.Equal(1, tx.Add(segment.ToFrame()).TransmitTo(queue));

        Segment Receive(FakeDeviceQueue device)
        {
            var deadline = Environment.TickCount64 + 5000;
            while (device.Received.Count == 0)
            {
                Assert.True(Environment.TickCount64 < deadline, "No frame came on that queue.");
                loop.RunOnce(20);
            }
            return Segment.Parse(device.Take());
        }
    }

    private static EndpointQueueConfig Config(EventLoop loop, int index, FakeDeviceQueue device) => new()
    {
        Index = index,
        Loop = loop,
        Device = device,
        AcceptedRx = OffloadSet.None,
        MaxRxFrame = 1514,
        Counters = new QueueCounters(),
    };
}
