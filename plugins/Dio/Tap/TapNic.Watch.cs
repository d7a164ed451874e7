using System.Runtime.InteropServices;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <content>What becomes of TAP and switch while the NIC runs. On the NIC's first loop, but for <see cref="TapLost"/>.</content>
internal sealed partial class TapNic : IFdHandler
{
    private Rtnl? _rtnl;
    private NetlinkSocket? _news;
    private IFdWatch? _newsWatch;
    private DescriptorSocket? _descriptors;
    private int _index;
    private bool _isElsewhere;

    /// <summary>A queue found that the TAP is gone. Any loop.</summary>
    public void TapLost() => _context.Loop.Post(Refresh);

    public void OnEvents(FdEvents events)
    {
        var concerned = false;
        while (true)
        {
            var result = _news!.Receive((_, body) => concerned |= LinkInfo.Read(body) is { } link && Concerns(link));
            if (result.WouldBlock) break;
            // ENOBUFS: some news were lost.
            if (result.Failed) concerned = true;
            if (result.Failed && result.Error != Errno.ENOBUFS) break;
        }
        if (concerned) Refresh();
    }

    private void Watch()
    {
        _news = NetlinkSocket.Open(Rtnl.LinkGroup);
        _newsWatch = _context.Loop.Watch(_news.Descriptor, FdEvents.Readable, this);
    }

    private void Unwatch()
    {
        _newsWatch?.Dispose();
        _news?.Dispose();
        _descriptors?.Dispose();
        (_newsWatch, _news, _descriptors) = (null, null, null);
    }

    private void Listen(string path) => _descriptors = new DescriptorSocket(_context.Loop, path, _settings.Nic.Queues, TakeOver);

    public string Take(IReadOnlyList<SafeHandle> descriptors)
    {
        // Ours, under the type that closes them here.
        Fd[] fds = [.. descriptors.Select(Own)];
        var refusal = !_settings.Nic.IsPassed ? $"It uses the TAP {_settings.Nic.Name}. To pass it one set \"passed\": true of \"nic\" in place of \"name\"."
            : fds.Length > _settings.Nic.Queues ? $"At most {_settings.Nic.Queues} descriptors are taken here, as \"queues\" says." : null;
        if (refusal is null) return TakeOver(fds);
        foreach (var fd in fds) fd.Dispose();
        throw new IOException(refusal);
    }

    private string TakeOver(Fd[] fds)
    {
        var tap = TapDevice.Adopt(fds);
        Drop();
        Adopt(tap);
        Refresh();
        return $"{tap.Name} {fds.Length}";
    }

    private static Fd Own(SafeHandle descriptor)
    {
        var fd = new Fd((int)descriptor.DangerousGetHandle());
        descriptor.SetHandleAsInvalid();
        return fd;
    }

    private bool Concerns(LinkInfo link) => link.Name == (_tap?.Name ?? _settings.Nic.Name) || link.Index == _index || link.Name == _settings.Switch?.Name;

    private void Refresh()
    {
        if (_rtnl is null) return;
        var before = _link;
        _link = Evaluate();
        if (_link != before) _linkChanged?.Invoke();
    }

    private NicLink Evaluate()
    {
        try
        {
            if (_tap is { } tap && IsGone(tap)) Drop();
            if (_tap is null && _settings.Nic.Name is { } name && _rtnl!.Find(name) is not null) Adopt(OpenNamed(name, create: false));
            if (_tap is null) return NicLink.Down(_settings.Nic.Name is { } missing ? $"TAP {missing} is gone" : $"no TAP was passed{(_descriptors is { } at ? $" at {at.Path}" : "")} (nichost pass {_context.Nic} FD)");
            if (_isElsewhere) return new NicLink(LinkState.Up10G, null);
            if (_rtnl!.Find(_tap.Name) is not { } link) return NicLink.Down($"TAP {_tap.Name} is gone");
            if (!link.IsUp) return NicLink.Down($"TAP {link.Name} is switched off (sudo ip link set {link.Name} up)");
            if (link.Mtu < _context.Mtu) return NicLink.Down($"TAP {link.Name} carries an MTU of {link.Mtu} now, less than the NIC's {_context.Mtu}");
            return _switch?.Obstacle(_rtnl, _made!, link) is { } why ? NicLink.Down(why) : new NicLink(LinkState.Up10G, null);
        }
        catch (IOException e) { return NicLink.Down(e.Message); }
    }

    /// <summary>A TAP is there: queues that are open get their parts of it.</summary>
    private void Adopt(TapDevice tap)
    {
        var link = _rtnl!.Find(tap.Name);
        // A TAP that was passed may live where our netlink does not see it; then only its queues tell of its end.
        _isElsewhere = link is null || link.Mac != tap.Mac;
        _index = link?.Index ?? 0;
        DioQueue[] queues;
        lock (_gate)
        {
            _tap = tap;
            queues = [.. _queues];
        }
        foreach (var queue in queues) queue.Config.Loop.Post(() => Attach(queue, tap));
    }

    /// <summary>The TAP is gone, or another takes its place.</summary>
    private void Drop()
    {
        TapDevice? tap;
        DioQueue[] queues;
        lock (_gate)
        {
            (tap, _tap) = (_tap, null);
            queues = [.. _queues];
        }
        if (tap is null) return;
        foreach (var queue in queues) queue.Config.Loop.Post(queue.Detach);
        tap.Dispose();
    }

    private bool IsGone(TapDevice tap) => _isElsewhere ? tap.IsGone : _rtnl!.Find(tap.Name)?.Index != _index || tap.IsGone;
}
