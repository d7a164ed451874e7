using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Probe.Frontend;
using NicHost.Testing;
using NicHost.Virtio;
using NicHost.Virtio.Tests.Conformance;

namespace NicHost.Hostile.Tests.Rig;

/// <summary>
/// Two NICs in one process, each with a loop and the loopback endpoint: one for the hostile guest, one whose honest guest must not notice.
/// At the end the bystander still carries traffic, and no descriptor is left.
/// </summary>
internal sealed class TwoNics : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nichost-hostile-");
    private readonly ProbeDriver _bystander;
    private readonly TestNic _other;
    private readonly int _descriptors;
    private int _echoes;

    private TwoNics(DirectoryInfo folder, TestNic nic, TestNic other)
    {
        _folder.Delete();
        _folder = folder;
        Nic = nic;
        _other = other;
        _bystander = new ProbeDriver(Path.Combine(folder.FullName, "other.sock"));
        _bystander.Attach(OffloadSet.None);
        AssertBystander();
        _descriptors = Descriptors();
    }

    /// <summary>The NIC under attack.</summary>
    public TestNic Nic { get; }

    public string Socket => Path.Combine(_folder.FullName, "nic.sock");

    public static async Task<TwoNics> StartAsync(int queues = 1, Func<Contracts.Loops.IEventLoop, IEndpoint>? endpoint = null)
    {
        var folder = Directory.CreateTempSubdirectory("nichost-hostile-");
        return new TwoNics(folder, await One("nic.sock", endpoint), await One("other.sock", null));

        Task<TestNic> One(string name, Func<Contracts.Loops.IEventLoop, IEndpoint>? make) => TestNic.StartAsync(
            make ?? (loop => new LoopbackEndpointFactory().Create(TestNic.EndpointContext(loop, """{"kind":"loopback"}"""))),
            loop => new VirtioFactory().Create(TestNic.DeviceContext(loop, $$"""{"kind":"virtio","socket":"{{Path.Combine(folder.FullName, name)}}","queues":{{queues}}}""")),
            queues);
    }

    /// <summary>A connection without any message yet.</summary>
    public VhostFrontend Connect() => VhostFrontend.Attach(new FrontendOptions { Socket = Socket, Timeout = Patience });

    /// <summary>An honest driver, attached.</summary>
    public ProbeDriver Attach(OffloadSet wanted = OffloadSet.None, bool postBuffers = true)
    {
        var driver = new ProbeDriver(Socket);
        driver.Attach(wanted, 1, postBuffers);
        return driver;
    }

    /// <summary>The NIC serves an honest guest, whatever came before.</summary>
    public void AssertServes()
    {
        using var driver = new ProbeDriver(Socket);
        // The one before may not be gone yet: then the connection is closed, and a VMM comes again.
        Wait(() =>
        {
            try { driver.Attach(OffloadSet.None); }
            catch (VhostException)
            {
                driver.Vanish();
                return false;
            }
            return true;
        }, "the NIC to take the next guest");
        AssertEcho(driver, 300);
    }

    /// <summary>The other NIC carries its guest's frames.</summary>
    public void AssertBystander() => AssertEcho(_bystander, 100 + (_echoes++ % 1000));

    /// <summary>Waits until a fault of the guest was told that says this.</summary>
    public void WaitForFault(string part) =>
        Wait(() => Nic.GuestFaults.Any(f => f.Contains(part, StringComparison.OrdinalIgnoreCase)), $"a fault with \"{part}\"; there are: {string.Join("; ", Nic.GuestFaults)}");

    public static void Wait(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), $"Waited {Patience.TotalSeconds} s for {what}.");

    public static void AssertEcho(ProbeDriver driver, int length)
    {
        var frame = TestFrames.Plain(length, length);
        Assert.True(driver.TrySend(0, frame));
        Assert.Equal(frame, driver.Receive(0, Patience)?.Bytes);
    }

    public static int Descriptors() => OpenDescriptors.Count();

    private static string OpenFiles() => string.Join(' ', Directory.GetFileSystemEntries("/proc/self/fd")
        .Select(fd => new FileInfo(fd).LinkTarget ?? "?").CountBy(n => n.Split('[')[0] == "socket:" ? "socket" : n).Select(n => $"{n.Key}*{n.Value}"));

    /// <summary>The state that inspect shows for the first queue's ring.</summary>
    public async Task<string> RingStateAsync(bool rx)
    {
        var root = await Nic.InspectDeviceAsync();
        return (string)Find(Find(Find(root, "queue0"), rx ? "rx" : "tx"), "state").Value!;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            AssertBystander();
            Assert.Empty(_other.GuestFaults);
            Assert.Equal(0, _bystander.Faults.Total);
            if (!SpinWait.SpinUntil(() => Descriptors() <= _descriptors, Patience)) Assert.Fail($"{_descriptors} descriptors were open, now: {OpenFiles()}");
            Assert.DoesNotContain(Nic.GuestFaults, f => f.Contains("Exception", StringComparison.Ordinal));
        }
        finally
        {
            _bystander.Dispose();
            await Nic.DisposeAsync();
            await _other.DisposeAsync();
            _folder.Delete(recursive: true);
        }
    }

    private static InspectNode Find(InspectNode node, string name) => node.Children.Single(c => c.Name == name);
}
