using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;

namespace NicHost.NetVsp.Net;

/// <content>A turn: packets of the guest, frames to the endpoint, completions and answers back, the rings shown once.</content>
internal sealed partial class NetQueue
{
    // Packets of one turn before others of the loop have theirs, and of one batch before the endpoint gets its frames.
    private const int PacketsPerTurn = 512;
    private const int PacketsPerBatch = 64;

    private readonly byte[] _packet = GC.AllocateUninitializedArray<byte>(IncomingRing.MaxPacket, pinned: true);

    private void Run()
    {
        if (_running || _in is null || Fault is not null) return;
        _running = true;
        _readyMeanwhile = false;
        var more = Turn();
        _running = false;
        if (_in is null) return;
        if (_in.Publish()) Interrupt();
        ShowOutgoing();
        var broken = _in.Fault ?? _out!.Fault;
        if (_channel!.Ram.IsPoisoned) _channel.MemoryLost();
        else if (broken is not null) Fail(broken);
        else if (more || (_readyMeanwhile && !_stalled)) Post();
    }

    /// <returns>Whether there may be more to do at once.</returns>
    private bool Turn()
    {
        _in!.Mask();
        for (var left = PacketsPerTurn; left > 0;)
        {
            var read = ReadBatch(Math.Min(left, PacketsPerBatch));
            if (Fault is not null || _in is null) return false;
            left -= Math.Max(read, 1);
            HandOver();
            TellCompletions();
            SendAnswers();
            WakeEndpoint();
            if (_in is null || Fault is not null) return false;
            if (read > 0 || _in.Fault is not null) continue;
            // Left in the ring because there is no room for it or its completion: a signal, or the endpoint, brings us back.
            if (!CanRead(wish: true)) return false;
            if (_answers.Count > 0 && _control.Available > 0) _out!.HasRoom(s_control);
            var more = _in.Unmask(out var guestWaits);
            if (guestWaits) Interrupt();
            if (!more) return false;
            _in.Mask();
        }
        return true;
    }

    private int ReadBatch(int most)
    {
        var count = 0;
        while (count < most && CanRead(wish: false))
        {
            var length = _in!.Read(_packet, out var descriptor);
            if (length == 0) break;
            count++;
            Take(_packet.AsSpan(0, length), descriptor);
            if (Fault is not null || _in is null) break;
        }
        return count;
    }

    /// <summary>Whether a packet may be taken out of the ring.</summary>
    private bool CanRead(bool wish)
    {
        if (_tx.IsFull && !(_rx.Wanted && _stalled)) return false;
        // Each packet may want a completion, a control packet an answer too.
        var needed = Owed + _rx.Owed + s_completion + s_control;
        return wish ? _out!.HasRoom(needed) : _out!.HasRoomNow(needed);
    }

    private void Take(ReadOnlySpan<byte> packet, in PacketDescriptor descriptor)
    {
        var payload = packet[(descriptor.DataOffset8 * 8)..];
        switch (descriptor.Type)
        {
            case PacketType.Completion:
                // What we sent for a buffer that is gone by now comes back, too.
                if (!Complete(descriptor.TransactionId) && _buffers.Receive is not null)
                    Fail($"a completion of packet {descriptor.TransactionId}, which the guest does not have");
                break;
            case PacketType.InBand or PacketType.GpaDirect when payload.Length >= 4:
                TakeMessage(packet, payload, descriptor);
                break;
            default:
                Fail($"a packet of type {(ushort)descriptor.Type} with {payload.Length} bytes");
                break;
        }
    }

    private void TakeMessage(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> payload, in PacketDescriptor descriptor)
    {
        var type = (NvspType)BinaryPrimitives.ReadUInt32LittleEndian(payload);
        var isRndis = type == NvspType.SendRndisPacket;
        if (isRndis && payload.Length < 16)
        {
            Fail($"an RNDIS packet of {payload.Length} bytes");
            return;
        }
        if (isRndis && BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]) == NvspFormat.DataChannel)
        {
            if (_tx.IsOverfull) _tx.Refuse(descriptor, DropReason.QueueFull);
            else _tx.Add(_tx.Gather(packet, descriptor, _buffers, _channel!.Ram.Map), descriptor);
            return;
        }
        if (Index != 0)
        {
            Fail($"message {type} on a subchannel");
            return;
        }
        TakeControl(packet, payload, descriptor, type, isRndis);
    }

    private void HandOver()
    {
        if (_stalled || _tx.Waiting == 0) return;
        if (!_tx.Hand(_endpoint)) _stalled = !_readyMeanwhile;
    }

    private void TellCompletions()
    {
        Span<byte> message = stackalloc byte[NvspFormat.MessageSize];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)NvspType.SendRndisPacketComplete);
        while (_tx.TryComplete(out var transaction, out var status, out var wanted))
        {
            if (!wanted) continue;
            BinaryPrimitives.WriteUInt32LittleEndian(message[4..], status);
            _out!.Write(PacketType.Completion, wantsCompletion: false, transaction, [], message);
        }
        _tx.CompletionsTold();
    }

    /// <summary>Sections or room may have come back since the endpoint was refused.</summary>
    private void WakeEndpoint()
    {
        if (_endpoint is null || !_rx.CanServe()) return;
        _out!.DropWish();
        _rx.ClearWanted();
        _endpoint.ReceiveReady();
    }

    private void ShowOutgoing()
    {
        if (_out is { } ring && ring.Publish()) Interrupt();
    }

    private void Interrupt()
    {
        _counters.Calls++;
        _channel!.Interrupt();
    }
}
