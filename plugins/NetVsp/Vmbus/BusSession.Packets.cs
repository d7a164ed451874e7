using Microsoft.Extensions.Logging;
using NicHost.Linux;
using NicHost.NetVsp.Wire;

namespace NicHost.NetVsp.Vmbus;

/// <content>What each packet of the wire does.</content>
internal sealed unsafe partial class BusSession
{
    // HvPostMessage goes to one of these (the second since VMBus 5.0).
    private const ulong MessageConnection = 1;
    private const ulong MessageConnectionSince5 = 4;

    private void Dispatch(in WireHeader header)
    {
        if (!_greeted && header.Kind != WireKind.Hello)
        {
            End($"{header.Kind} before Hello");
            return;
        }
        switch (header.Kind)
        {
            case WireKind.Hello: Greet(header.A); break;
            case WireKind.MemoryAdd: AddMemory(header); break;
            case WireKind.MemoryDelete: DeleteMemory(header.A, header.B); break;
            case WireKind.PostMessage: TakeMessage(header.A); break;
            case WireKind.EventFd: SetKick(header.A); break;
            case WireKind.GuestFd: SetGuestFd(header); break;
            case WireKind.SignalEvent: SignalEvent(header.A); break;
            case WireKind.Monitor: SetMonitor((MonitorMode)header.A); break;
            case WireKind.Reset: Reset(() => { }); break;
            default:
                if (((uint)header.Kind & WireFormat.OptionalKind) == 0) End($"a packet of unknown kind {(uint)header.Kind}");
                break;
        }
    }

    private void Greet(ulong version)
    {
        if (_greeted) End("Hello twice");
        else if (version == 0) End("wire version 0");
        else
        {
            _greeted = true;
            // The client speaks what it said and everything older; what counts is the smaller of both.
            Send(WireKind.HelloAck, Math.Min(version, WireFormat.Version));
        }
    }

    private void AddMemory(in WireHeader header)
    {
        using var fd = _reader.TakeFd();
        var error = _memory.Add(header.A, header.B, header.C, fd, out var why);
        if (why is not null) _bus.ReportFault($"VMBus: memory at 0x{header.A:x} of 0x{header.B:x} bytes is refused: {why}");
        Volatile.Write(ref _ram, _memory.Ram);
        Send(WireKind.MemoryAck, header.A, (ulong)error);
    }

    private void DeleteMemory(ulong address, ulong length)
    {
        var host = _memory.Ram.Map.Translate(address, length);
        var inUse = host != null && ((_poller is not null && (nuint)(_monitorPage - (nint)host) < length) || _gpadls.All.Any(g => g.Pages?.Touches((nint)host, (nuint)length) == true)
            || _channels.Values.Any(c => c.GuestSignal is { } s && s.Touches(host, length)));
        if (inUse)
        {
            Send(WireKind.MemoryAck, address, (ulong)Errno.EBUSY);
            return;
        }
        var file = _memory.Remove(address, length);
        if (file is null)
        {
            Send(WireKind.MemoryAck, address, (ulong)Errno.ENOENT);
            return;
        }
        Volatile.Write(ref _ram, _memory.Ram);
        FenceAll(memory: true, () =>
        {
            file.Dispose();
            Send(WireKind.MemoryAck, address);
        });
    }

    private void TakeMessage(ulong connection)
    {
        if (connection is not (MessageConnection or MessageConnectionSince5)) Mistake($"a message to connection {connection}");
        else if (!MessageView.TryParse(_reader.Payload, out var message)) Mistake($"a message of {_reader.Payload.Length} bytes, shorter than its type needs");
        else
        {
            if (_bus.Log.IsEnabled(LogLevel.Debug)) Log.Received(_bus.Log, message.Type, Convert.ToHexStringLower(_reader.Payload));
            Take(message);
        }
    }

    private void SetKick(ulong connection)
    {
        var channel = _channels.Values.FirstOrDefault(c => c.ConnectionId == connection);
        // A channel that is gone by now: the client could not know.
        if (channel is null) return;
        if (channel.State is not (ChannelState.Offered or ChannelState.Rescinded)) End($"an eventfd for connection {connection}, whose channel is open");
        else channel.SetKick(_reader.TakeFd());
    }

    private void SetGuestFd(in WireHeader header)
    {
        if (header.A > uint.MaxValue || !_channels.TryGetValue((uint)header.A, out var channel)) return;
        uint* flags = null;
        if (header.C != 0)
        {
            flags = (uint*)_memory.Ram.Map.Translate(header.C, GuestSignal.EventFlagsSize);
            if (flags == null || header.C % GuestSignal.EventFlagsSize != 0)
            {
                End($"event flags at 0x{header.C:x}, which is not guest memory or not aligned to {GuestSignal.EventFlagsSize}");
                return;
            }
        }
        var old = channel.SetSignal(new GuestSignal(_reader.TakeFd(), flags));
        if (old is not null) FenceAll(memory: false, old.Dispose);
        // What was signalled before there was a place for it.
        if (channel.State == ChannelState.Open) channel.Interrupt();
    }

    private void SignalEvent(ulong connection)
    {
        var channel = _channels.Values.FirstOrDefault(c => c.ConnectionId == connection);
        if (channel is { State: ChannelState.Open }) channel.Device.Signal(channel.Index);
    }

    private void SetMonitor(MonitorMode mode)
    {
        if (mode > MonitorMode.Server) End($"monitor mode {(ulong)mode}");
        else if (_channels.Count > 0) End("Monitor after channels were offered");
        else _monitorMode = mode;
    }

    /// <summary>Goes on when no channel can be using what was there before.</summary>
    private void FenceAll(bool memory, Action then)
    {
        foreach (var device in _channels.Values.Where(c => c.State == ChannelState.Open).Select(c => c.Device).Distinct())
            device.Fence(memory, Awaiting());
        WhenIdle(then);
    }

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Debug, "{Type} {Payload}")]
        public static partial void Received(ILogger logger, MessageType type, string payload);
    }
}
