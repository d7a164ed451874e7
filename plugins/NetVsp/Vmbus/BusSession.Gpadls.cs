using NicHost.NetVsp.Wire;

namespace NicHost.NetVsp.Vmbus;

/// <content>Buffers: made by messages that each channel sends in a row, and taken back in whatever order the guest likes.</content>
internal sealed partial class BusSession
{
    private void BeginGpadl(in MessageView message)
    {
        var (relId, handle) = (message.U32(0), message.U32(4));
        if (!_channels.ContainsKey(relId)) RefuseGpadl(relId, handle, "its channel is not offered");
        else if (_gpadls.Begin(message, out var gpadl) is { } fault) RefuseGpadl(relId, handle, fault);
        else if (gpadl!.IsComplete) CompleteGpadl(gpadl);
    }

    private void ContinueGpadl(in MessageView message)
    {
        if (_gpadls.Continue(message, out var gpadl) is { } fault) Mistake($"buffer 0x{message.U32(4):x}: {fault}");
        else if (gpadl!.IsComplete) CompleteGpadl(gpadl);
    }

    private void CompleteGpadl(Gpadl gpadl)
    {
        if (_gpadls.Complete(gpadl, _memory.Ram.Map) is { } fault) RefuseGpadl(gpadl.RelId, gpadl.Handle, fault);
        else SendGpadlCreated(gpadl.RelId, gpadl.Handle, VmbusStatus.Success);
    }

    private void RefuseGpadl(uint relId, uint handle, string fault)
    {
        Mistake($"buffer 0x{handle:x}: {fault}");
        SendGpadlCreated(relId, handle, VmbusStatus.InvalidParameter);
    }

    private void TearDownGpadl(in MessageView message)
    {
        var handle = message.U32(4);
        if (!_gpadls.Remove(handle)) Mistake($"teardown of buffer 0x{handle:x}, which does not exist");
        foreach (var channel in _channels.Values.Where(c => c.RingHandle == handle && c.State == ChannelState.Open).ToArray())
        {
            Mistake($"teardown of buffer 0x{handle:x}, which holds the rings of channel {channel.RelId}: the channel is closed");
            StopChannel(channel);
        }
        // Before VMBus 4.0 Linux takes receive and send buffers back while the channel is open.
        foreach (var device in _channels.Values.Where(c => c.State == ChannelState.Open).Select(c => c.Device).Distinct())
            device.DropBuffer(handle, Awaiting());
        WhenIdle(() =>
        {
            var answer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.GpadlTorndown);
            answer.U32(handle);
            Post(answer);
        });
    }

    private void SendGpadlCreated(uint relId, uint handle, uint status)
    {
        var answer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.GpadlCreated);
        answer.U32(relId);
        answer.U32(handle);
        answer.U32(status);
        Post(answer);
    }
}
