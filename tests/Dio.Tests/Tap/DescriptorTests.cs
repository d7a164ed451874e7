using System.Text;
using Microsoft.Win32.SafeHandles;
using NicHost.Contracts.Endpoints;
using NicHost.Dio.Tests.Rig;
using NicHost.Linux;

namespace NicHost.Dio.Tests.Tap;

/// <summary>A TAP whose descriptors are passed over a socket.</summary>
public sealed class DescriptorTests : IDisposable
{
    private readonly string _path = Path.Combine(OwnState.Folder, $"{Guid.NewGuid():n}.sock");

    private string Options => $"{{\"kind\":\"dio\",\"nic\":{{\"socket\":\"{_path}\",\"queues\":4}}}}";

    [NamespaceTheory]
    [InlineData(1, "")]
    [InlineData(3, "multi_queue")]
    public void Tap_that_is_passed_carries_and_its_end_shows(int queues, string kind) => NetWorld.Run($"ip tuntap add given0 mode tap {kind}; ip link set given0 up", () =>
    {
        using var bench = Bench.Started(Options);
        Assert.False(bench.Endpoint.Link.IsUp);
        Assert.Contains("no TAP was passed", bench.Host.Troubles.Single(), StringComparison.Ordinal);
        var (queue, device) = bench.Open();
        // More queues of the guest than of the TAP: these send through the ones that are there.
        var (further, _) = bench.Open(index: 3);

        Assert.Equal($"ok given0 {queues}", Pass(bench, Taps("given0", queues, kind.Length > 0)));
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link comes up");
        bench.Until(() => device.Received.Count > 0, "a frame of the kernel");
        using var peer = new PacketSocket("given0");
        foreach (var one in new[] { queue, further })
        {
            using var batch = new NicHost.Testing.TxBuilder();
            var frame = NicHost.Testing.TestFrames.Plain(300, one == queue ? 1 : 2);
            bench.Until(() =>
            {
                batch.Add(frame).TransmitTo(one);
                return peer.TryReceive(f => f.AsSpan().SequenceEqual(frame)) is not null;
            }, "a frame of the guest");
        }

        NetWorld.Shell("ip link del given0");
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link goes down");
        NetWorld.Shell("ip tuntap add given1 mode tap; ip link set given1 up");
        Assert.Equal("ok given1 1", Pass(bench, Taps("given1", 1, false)));
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link comes up");
    });

    [NamespaceFact]
    public void Descriptors_that_are_no_tap_are_refused_and_closed() => NetWorld.Run("ip tuntap add given0 mode tap; ip tuntap add given1 mode tap; ip tuntap add tun0 mode tun", () =>
    {
        using var bench = Bench.Started(Options);
        var before = NicHost.Testing.OpenDescriptors.Count();
        Assert.StartsWith("error A descriptor that was passed is no TAP's.", Pass(bench, Sockets(1)), StringComparison.Ordinal);
        Assert.StartsWith("error No descriptor was passed.", Pass(bench, []), StringComparison.Ordinal);
        Assert.StartsWith("error given0 was opened without", Pass(bench, [Open("given0", TapFlags.None)]), StringComparison.Ordinal);
        Assert.StartsWith("error Descriptors of two TAPs", Pass(bench, [Open("given0", TapFlags.VnetHeader), Open("given1", TapFlags.VnetHeader)]), StringComparison.Ordinal);
        Assert.StartsWith("error At most 4 descriptors", Pass(bench, Sockets(5)), StringComparison.Ordinal);
        Assert.InRange(NicHost.Testing.OpenDescriptors.Count(), 0, before);
    });

    [NamespaceFact]
    public void Client_that_says_nothing_gives_way_to_the_next() => NetWorld.Run("ip tuntap add given0 mode tap; ip link set given0 up", () =>
    {
        using var bench = Bench.Started(Options);
        using var silent = UnixSocket.Connect(_path, UnixSocketType.SeqPacket);
        bench.Loop.RunOnce();
        Assert.Equal("ok given0 1", Pass(bench, Taps("given0", 1, false)));
    });

    [NamespaceFact]
    public void Tap_is_taken_from_the_control_socket_too() => NetWorld.Run("ip tuntap add given0 mode tap; ip tuntap add given1 mode tap; ip link set given0 up; ip link set given1 up", () =>
    {
        using var bench = Bench.Started("""{"kind":"dio","nic":{"passed":true,"queues":2}}""");
        Assert.Equal("no TAP was passed (nichost pass vm/nic FD)", bench.Host.Troubles.Single());
        var before = NicHost.Testing.OpenDescriptors.Count();
        Assert.StartsWith("A descriptor that was passed is no TAP's.", Refused(bench, Sockets(1)), StringComparison.Ordinal);
        Assert.StartsWith("At most 2 descriptors", Refused(bench, Sockets(3)), StringComparison.Ordinal);
        Assert.InRange(NicHost.Testing.OpenDescriptors.Count(), 0, before);

        Assert.Equal("given0 1", Take(bench, Taps("given0", 1, false)));
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link comes up");
        Refused(bench, Sockets(1));
        Assert.True(bench.Endpoint.Link.IsUp);
        Assert.Equal("given1 1", Take(bench, Taps("given1", 1, false)));
        NetWorld.Shell("ip link del given0");
        Assert.True(bench.Endpoint.Link.IsUp);
    });

    [NamespaceFact]
    public void Endpoint_that_names_its_tap_takes_none() => NetWorld.Run("ip tuntap add own0 mode tap multi_queue; ip link set own0 up", () =>
    {
        using var bench = Bench.Started("""{"kind":"dio","nic":{"name":"own0"}}""");
        var before = NicHost.Testing.OpenDescriptors.Count();
        Assert.StartsWith("It uses the TAP own0.", Refused(bench, Sockets(1)), StringComparison.Ordinal);
        Assert.InRange(NicHost.Testing.OpenDescriptors.Count(), 0, before);
    });

    public void Dispose() => Assert.False(File.Exists(_path));

    private static string Take(Bench bench, Fd[] fds) => ((IDescriptorTaker)bench.Endpoint).Take([.. fds.Select(fd => new SafeFileHandle(fd.Release(), ownsHandle: true))]);

    private static string Refused(Bench bench, Fd[] fds) => Assert.ThrowsAny<IOException>(() => Take(bench, fds)).Message;

    private string Pass(Bench bench, Fd[] fds)
    {
        using var client = UnixSocket.Connect(_path, UnixSocketType.SeqPacket);
        UnixSocket.SendWithFds(client.Raw, "tap"u8, [.. fds.Select(fd => fd.Raw)]).OrThrow("pass");
        foreach (var fd in fds) fd.Dispose();
        var answer = new byte[1024];
        var length = 0;
        bench.Until(() => (length = Linux.Sockets.Receive(client.Raw, answer).Count) > 0, "an answer");
        return Encoding.UTF8.GetString(answer, 0, length);
    }

    private static Fd[] Taps(string name, int queues, bool multi) =>
        [.. Enumerable.Range(0, queues).Select(_ => Open(name, TapFlags.VnetHeader | (multi ? TapFlags.MultiQueue : TapFlags.None)))];

    private static Fd[] Sockets(int count) => [.. Enumerable.Range(0, count).Select(_ => new Fd((int)Linux.Sockets.CreateUdp(Linux.Sockets.AfInet).OrThrow("socket")))];

    private static Fd Open(string name, TapFlags flags)
    {
        NicHost.Linux.Tap.Open(name, flags, out var fd).OrThrow(name);
        return fd!;
    }
}
