using NicHost.Contracts.Nics;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>The probe guest on a NIC, where no real one has to be: it boots at once. While it is not asked anything it answers others.</summary>
internal sealed class Station : IDisposable
{
    private const ushort Port = 9000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private readonly string _name;
    private readonly ProbeGuest _guest;
    private readonly CountingSink _sink = new(verify: true);
    private readonly Lock _turn = new();
    private int _asking;
    private readonly CancellationTokenSource _end = new();
    private readonly Thread _thread;

    public Station(DioBackend host, string vm, int mtu = 1500)
    {
        _name = vm;
        var plug = host.PlugOf(vm);
        _guest = ProbeGuest.Start(new GuestOptions
        {
            Frontend = new FrontendOptions { Socket = plug.Socket },
            Mac = new MacAddress(Convert.FromHexString(plug.Mac.Replace(":", "", StringComparison.Ordinal))),
            Mtu = mtu,
        });
        _guest.Stack.Listen(Port, (_, _) => (new BufferSource(_guest.Ram), _sink));
        _thread = new Thread(Answer) { IsBackground = true, Name = $"station {vm}" };
        _thread.Start();
    }

    public ProbeStack Stack => _guest.Stack;

    /// <summary>Takes an address that nobody gave it.</summary>
    public Ip Take(string address)
    {
        return Do(() => Stack.Address4 = Ip.Parse(address));
    }

    public Lease4 AskForLease()
    {
        using var client = Do(() => new Dhcp4Client(Stack));
        Assert.True(Until(client.Step), $"{_name} got no lease");
        return client.Lease!;
    }

    /// <summary>Whether somebody answers an echo request of a packet of <paramref name="size"/> bytes, in a few tries.</summary>
    public bool Pings(Ip to, int size, int tries = 10)
    {
        for (ushort i = 1; i <= tries; i++)
        {
            var (sent, number) = (false, i);
            var answer = Do(() =>
            {
                Stack.LastEcho = null;
                _guest.RunUntil(() => (sent |= !sent && Stack.SendEcho(to, number, size - 28)) && Stack.LastEcho is not null, TimeSpan.FromSeconds(1));
                return Stack.LastEcho;
            });
            if (answer is { Intact: true } echo && echo.Source == to) return true;
        }

        return false;
    }

    /// <summary>Sends over TCP to another station, which checks each byte.</summary>
    public void Send(Station to, int bytes)
    {
        var before = to._sink.Bytes;
        var connection = Do(() => Stack.Connect(to.Stack.Address4, Port, new PatternSource(new PatternSource(_guest.Ram), bytes), new BufferSink()));
        Assert.True(Until(() => connection.Acknowledged >= bytes || connection.State == TcpState.Closed), $"{_name} sent {connection.Acknowledged} of {bytes} bytes: {connection.State} {connection.Error}");
        Assert.Equal((bytes, 0), (to._sink.Bytes - before, to._sink.Wrong));
    }

    public void Dispose()
    {
        _end.Cancel();
        _thread.Join();
        _guest.Dispose();
        _end.Dispose();
    }

    private T Do<T>(Func<T> work)
    {
        Interlocked.Increment(ref _asking);
        lock (_turn)
        {
            Interlocked.Decrement(ref _asking);
            return work();
        }
    }

    private bool Until(Func<bool> done) => Do(() => _guest.RunUntil(done, s_patience));

    private void Answer()
    {
        while (!_end.IsCancellationRequested && !_guest.Disconnected)
        {
            lock (_turn) _guest.RunUntil(() => Volatile.Read(ref _asking) > 0, TimeSpan.FromMilliseconds(5));
            // Whoever asks gets a turn.
            SpinWait.SpinUntil(() => Volatile.Read(ref _asking) == 0);
        }
    }
}
