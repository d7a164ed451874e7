using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using NicHost.Consomme;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Probe.Stack;
using NicHost.Testing;

namespace NicHost.Benchmarks.Micro;

/// <summary>Consomme alone, one frame at a time: system calls included, device and threads left out. Everything on one thread.</summary>
[MemoryDiagnoser]
public class ConsommeBenchmarks : IDisposable
{
    private const string Mac = "52:54:00:12:34:56";

    private readonly EventLoop _loop = new("bench");
    private readonly Socket _sink = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _payload = new byte[1400];
    private EmbeddedGuest _guest = null!;
    private IEndpoint _endpoint = null!;
    private UdpPort _port = null!;
    private ushort _sinkPort;
    private ushort _sequence;

    [GlobalSetup]
    public void Setup()
    {
        _sink.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _sinkPort = (ushort)((IPEndPoint)_sink.LocalEndPoint!).Port;
        _endpoint = new ConsommeFactory().Create(TestNic.EndpointContext(_loop, """{ "kind": "consomme", "hostLoopback": true }""", 1500, Mac));
        _guest = new EmbeddedGuest(MacAddress.TryParse(Mac, out var mac) ? mac : default);
        _loop.RunOnce();
        _endpoint.Start(new FakeEndpointHost());
        _guest.Endpoint = _endpoint.OpenQueue(new EndpointQueueConfig
        {
            Index = 0,
            Loop = _loop,
            Device = _guest,
            AcceptedRx = OffloadSet.Checksum | OffloadSet.AllGso,
            MaxRxFrame = FrameLimits.MaxFrame,
            Counters = new QueueCounters(),
        });
        using var dhcp = new Dhcp4Client(_guest.Stack);
        for (var i = 0; i < 1000 && !dhcp.Step(); i++) Turn();
        if (dhcp.Lease is null) throw new InvalidOperationException("No lease.");
        _port = _guest.Stack.OpenUdp();
        for (var i = 0; i < 100; i++)
        {
            UdpOut();
            Ping();
        }
        if (_guest.Stack.LastEcho?.Sequence != _sequence) throw new InvalidOperationException("The gateway does not answer pings.");
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _endpoint.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _guest.Dispose();
        _sink.Dispose();
        _loop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A datagram of 1400 bytes from the guest into a socket (which nobody reads: the kernel drops it when it is full).</summary>
    [Benchmark]
    public bool UdpOut()
    {
        var sent = _guest.Stack.SendUdp(_port, _guest.Stack.Router4, _sinkPort, _payload);
        Turn();
        return sent;
    }

    /// <summary>A ping of the gateway: a frame out, a frame in, no system call for it.</summary>
    [Benchmark]
    public bool Ping()
    {
        var sent = _guest.Stack.SendEcho(_guest.Stack.Router4, ++_sequence);
        Turn();
        return sent;
    }

    private void Turn()
    {
        _loop.RunOnce();
        _guest.Poll();
    }
}
