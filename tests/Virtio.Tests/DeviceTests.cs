using System.Text.Json;
using NicHost.Contracts.Options;
using NicHost.Linux;
using NicHost.Loops;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests;

public sealed class DeviceTests
{
    private static List<OptionFault> Check(string json)
    {
        var faults = new List<OptionFault>();
        new VirtioFactory().Options.Check(JsonDocument.Parse(json).RootElement, faults);
        return faults;
    }

    [Fact]
    public void Options_left_out_have_their_defaults()
    {
        var options = VirtioOptionsCheck.Model.Bind(JsonDocument.Parse("""{"kind":"virtio","socket":"a.sock"}""").RootElement);
        Assert.Equal(new VirtioOptions { Socket = "a.sock", Queues = 1, Mode = SocketRole.Server, SocketMode = "0600" }, options);
        options = VirtioOptionsCheck.Model.Bind(
            JsonDocument.Parse("""{"socket":"a.sock","queues":8,"mode":"client","socketMode":"0666","inBandNotifications":true}""").RootElement);
        Assert.Equal(SocketRole.Client, options.Mode);
        Assert.Equal(0x1b6u, VirtioOptionsCheck.ParseMode(options.SocketMode));
    }

    [Theory]
    [InlineData("""{"kind":"virtio"}""", "$", "socket")]
    [InlineData("""{"socket":"a","queues":0}""", "$.queues", "1 to 8")]
    [InlineData("""{"socket":"a","queues":9}""", "$.queues", "1 to 8")]
    [InlineData("""{"socket":"a","queues":"2"}""", "$.queues", "number")]
    [InlineData("""{"socket":""}""", "$.socket", "path")]
    [InlineData("""{"socket":"a","mode":"both"}""", "$.mode", "server")]
    [InlineData("""{"socket":"a","socketMode":"rw"}""", "$.socketMode", "octal")]
    [InlineData("""{"socket":"a","socketMode":"7777"}""", "$.socketMode", "octal")]
    [InlineData("""{"socket":"a","owner":"no-such-user"}""", "$.owner", "getent passwd")]
    [InlineData("""{"socket":"a","owner":""}""", "$.owner", "getent passwd")]
    [InlineData("""{"socket":"a","owner":"4294967295"}""", "$.owner", "getent passwd")]
    [InlineData("""{"socket":"a","group":"no-such-group"}""", "$.group", "getent group")]
    [InlineData("""{"socket":"a","sockets":"b"}""", "$.sockets", "\"socket\"")]
    public void Option_that_does_not_hold_is_named_with_a_remedy(string json, string path, string says)
    {
        var fault = Assert.Single(Check(json));
        Assert.Equal(path, fault.Path);
        Assert.Contains(says, fault.Message + fault.Remedy, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Socket_path_that_is_too_long_is_a_fault() =>
        Assert.Equal("$.socket", Assert.Single(Check($$"""{"socket":"/tmp/{{new string('x', 120)}}"}""")).Path);

    [Fact]
    public void Attach_hints_can_be_copied()
    {
        using var nic = new Nic();
        Assert.Equal(
            $"-m 1G -object memory-backend-memfd,id=eth0-ram,size=1G,share=on -machine memory-backend=eth0-ram "
            + $"-chardev socket,id=eth0-socket,path={nic.Path},reconnect=1 -netdev vhost-user,id=eth0,chardev=eth0-socket "
            + "-device virtio-net-pci,netdev=eth0,mac=52:54:00:12:34:56",
            nic.Device.AttachHints[0].Arguments);
        Assert.Equal($"virtio_uml.device={nic.Path}:1", nic.Device.AttachHints[1].Arguments);
        nic.Device.Start(nic.Backend);
        using var two = new Nic(2, ",\"mode\":\"client\"", mtu: 9000);
        Assert.Equal(
            $"-m 1G -object memory-backend-memfd,id=eth0-ram,size=1G,share=on -machine memory-backend=eth0-ram "
            + $"-chardev socket,id=eth0-socket,path={two.Path},server=on,wait=off -netdev vhost-user,id=eth0,chardev=eth0-socket,queues=2 "
            + "-device virtio-net-pci,netdev=eth0,mac=52:54:00:12:34:56,host_mtu=9000,mq=on,vectors=6",
            Assert.Single(two.Device.AttachHints).Arguments);
    }

    [Fact]
    public void Attach_hints_survive_odd_names_and_paths()
    {
        using var nic = new Nic();
        var context = nic.Context with { Nic = new("web", "0 lan/a") };
        var hints = Hints.For(context, new VirtioOptions { Socket = "s" }, "/tmp/it's a,b.sock", 1);
        Assert.Contains("-chardev 'socket,id=nic0-lan-a-socket,path=/tmp/it'\\''s a,,b.sock,reconnect=1' ", hints[0].Arguments, StringComparison.Ordinal);
        Assert.Equal("'virtio_uml.device=/tmp/it'\\''s a,b.sock:1'", hints[1].Arguments);
    }

    [Fact]
    public void Socket_in_use_or_without_a_folder_says_what_to_do()
    {
        using var nic = Nic.Started();
        using var other = UnixSocket.Listen(nic.Path + "2");
        using var loop = new EventLoop("listener");
        using var taken = new Listener(nic.Path + "2", new SocketRights(0x180), loop, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, _ => Admission.Taken);
        Assert.Contains("Another process serves it", Assert.Throws<IOException>(taken.Start).Message, StringComparison.Ordinal);
        using var nowhere = new Listener("/nowhere/at/all.sock", new SocketRights(0x180), loop, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, _ => Admission.Taken);
        Assert.Contains("Make the folder first", Assert.Throws<IOException>(nowhere.Start).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(nic.Path + "2"));
    }

    [Fact]
    public void Client_connects_and_comes_back_with_growing_pauses()
    {
        using var nic = Nic.Started(extra: ",\"mode\":\"client\"");
        nic.Turn();
        using var listener = UnixSocket.Listen(nic.Path);
        Assert.True(UnixSocket.Accept(listener.Raw).WouldBlock);
        Pass(Connector.FirstPauseMilliseconds);
        using (var front = new FrontEnd(new Fd(UnixSocket.Accept(listener.Raw).Fd), nic.Turn))
        {
            Assert.Equal((ulong)nic.Device.Offered, front.Ask(Request.GetFeatures));
            // One at a time.
            Pass(60_000);
            Assert.True(UnixSocket.Accept(listener.Raw).WouldBlock);
        }
        Assert.Null(nic.Backend.Attachments[^1]);
        Pass(Connector.FirstPauseMilliseconds);
        using var again = new FrontEnd(new Fd(UnixSocket.Accept(listener.Raw).Fd), nic.Turn);
        Assert.Equal((ulong)nic.Device.Offered, again.Ask(Request.GetFeatures));

        void Pass(long milliseconds)
        {
            nic.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            nic.Turn();
        }
    }

    [Fact]
    public void Queues_on_loops_of_their_own_are_changed_there_and_waited_for()
    {
        using var second = new EventLoop("second");
        second.Start();
        using var nic = new Nic(2, loops: _ => second);
        nic.Device.Start(nic.Backend);
        var before = Descriptors.Open();
        for (var round = 0; round < 20; round++)
        {
            var front = new FrontEnd(UnixSocket.Connect(nic.Path), () => { });
            using var memory = new GuestFile(1 << 20);
            var ring = new DriverRing(memory, GuestFile.GuestBase, 16);
            using var kick = new EventFd();
            var table = SetUpSecondQueue(front, memory, ring, kick);
            Assert.Equal(0ul, Wait(Request.SetVringEnable));
            ring.Add((GuestFile.GuestBase + 0x8000, 100, false));
            kick.Signal();
            front.Send(Request.SetMemTable, table, FrontEnd.NeedReply, memory.File.Raw);
            Assert.Equal(0ul, Wait(Request.SetMemTable));
            if (round % 2 == 0)
            {
                front.Send(Request.GetVringBase, FrontEnd.State(3, 0));
                Assert.Equal(3ul | (1ul << 32), Wait(Request.GetVringBase));
                Assert.NotNull(ring.Take());
            }
            else front.Send(Request.GetVringBase, FrontEnd.State(3, 0));
            // Sometimes gone in the middle of a change.
            front.Dispose();
            Assert.True(Until(() => nic.Backend.Attachments.Count == (round * 2) + 2));

            ulong Wait(Request request)
            {
                byte[]? reply = null;
                Assert.True(Until(() => (reply = front.TryRead()) is not null), $"{request} in round {round}");
                Assert.Equal((uint)request, BitConverter.ToUInt32(reply!));
                return BitConverter.ToUInt64(reply!, 12);
            }
        }
        Assert.Equal(before, Descriptors.Open());
        Assert.Empty(nic.Backend.Faults);

        bool Until(Func<bool> done)
        {
            for (var i = 0; i < 2000; i++)
            {
                nic.Loop.RunOnce(1);
                if (done()) return true;
            }
            return false;
        }
    }

    /// <summary>QEMU reads the used index when the socket closes and lets the next back-end go on there: nothing may be used after that.</summary>
    [Fact]
    public void Socket_closes_only_when_the_queues_have_stopped()
    {
        using var gate = new ManualResetEventSlim();
        using var second = new EventLoop("second");
        second.Start();
        using var nic = new Nic(2, loops: _ => second);
        nic.Device.Start(nic.Backend);
        using var front = new FrontEnd(UnixSocket.Connect(nic.Path), () => { });
        using var memory = new GuestFile(1 << 20);
        using var kick = new EventFd();
        SetUpSecondQueue(front, memory, new DriverRing(memory, GuestFile.GuestBase, 16), kick);
        Assert.True(Until(() => front.TryRead() is not null));

        second.Post(() => gate.Wait(TimeSpan.FromSeconds(20)));
        var stopping = nic.Device.DisposeAsync().AsTask();
        Assert.False(Until(() => front.IsClosed, turns: 100));
        gate.Set();
        Assert.True(Until(() => front.IsClosed && stopping.IsCompleted));

        bool Until(Func<bool> done, int turns = 2000)
        {
            for (var i = 0; i < turns; i++)
            {
                nic.Loop.RunOnce(1);
                if (done()) return true;
            }
            return false;
        }
    }

    /// <summary>Starts the second queue's transmit ring; the last message wants a reply.</summary>
    private static byte[] SetUpSecondQueue(FrontEnd front, GuestFile memory, DriverRing ring, EventFd kick)
    {
        var table = FrontEnd.Words(1, GuestFile.GuestBase, 1 << 20, GuestFile.UserBase, 0);
        front.Send(Request.SetFeatures, (ulong)(Guest.Modern | NetFeatures.Mq));
        front.Send(Request.SetProtocolFeatures, (ulong)(ProtocolFeatures.ReplyAck | ProtocolFeatures.Mq));
        front.Send(Request.SetMemTable, table, 0, memory.File.Raw);
        front.Send(Request.SetVringNum, FrontEnd.State(3, 16));
        front.Send(Request.SetVringAddr, FrontEnd.Words(
            3, GuestFile.ToUser(ring.Descriptors), GuestFile.ToUser(ring.Used), GuestFile.ToUser(ring.Available), 0));
        front.Send(Request.SetVringKick, 3, 0, kick.Raw);
        front.Send(Request.SetVringEnable, FrontEnd.State(3, 1), FrontEnd.NeedReply);
        return table;
    }
}
