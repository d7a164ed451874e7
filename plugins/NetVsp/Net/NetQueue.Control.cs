using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;

namespace NicHost.NetVsp.Net;

/// <content>
/// What the primary channel carries besides frames. Answers go out in sections kept for them, so that a flood of frames never holds them up;
/// requests that come faster than their answers are read end the channel.
/// </content>
internal sealed partial class NetQueue
{
    /// <summary>Sections of the receive buffer that frames never take: the first ones.</summary>
    public const int ControlSections = 16;

    private const int MaxControl = 4096;
    private const int MaxAnswers = 64;

    private static readonly int s_control = OutgoingRing.Needed(16, NvspFormat.MessageSize);

    private readonly Queue<byte[]> _answers = new();
    private readonly SectionPool _control = new();
    private readonly byte[] _rndis = new byte[MaxControl];
    private readonly byte[] _nvsp = new byte[NvspFormat.MessageSize];

    /// <summary>Keeps sections for control messages, before <see cref="SetBuffers"/>. Where only the send buffer is another, the guest still has some of them.</summary>
    public void SetControlSections(BufferSet buffers)
    {
        if (!ReferenceEquals(buffers.Receive, _buffers.Receive)) _control.Reset(buffers.SectionCount, 0, Math.Min(ControlSections, buffers.SectionCount));
    }

    /// <summary>Sends a completion to the guest. There is room: it was looked for before the request was read.</summary>
    public void SendCompletion(ulong transaction, ReadOnlySpan<byte> message) =>
        _out!.Write(PacketType.Completion, wantsCompletion: false, transaction, [], message);

    /// <summary>Sends an RNDIS message, now or when there is a section for it.</summary>
    public void SendRndis(byte[] message)
    {
        if (!IsOpen || Fault is not null || _buffers.Receive is null) return;
        if (_answers.Count == MaxAnswers)
        {
            Fail($"{MaxAnswers} answers that the guest does not read");
            return;
        }
        _answers.Enqueue(message);
        if (_running) return;
        SendAnswers();
        ShowOutgoing();
    }

    /// <summary>Sends an NVSP message of our own accord, if there is room.</summary>
    public void SendMessage(ReadOnlySpan<byte> message, ulong transaction)
    {
        if (!IsOpen || Fault is not null || !_out!.HasRoomNow(Owed + _rx.Owed + OutgoingRing.Needed(0, message.Length))) return;
        _out.Write(PacketType.InBand, wantsCompletion: false, transaction, [], message);
        if (!_running) ShowOutgoing();
    }

    /// <summary>Gives free sections away to queues that were opened later.</summary>
    /// <returns>As many as there are, at most <paramref name="wanted"/>.</returns>
    public int[] CedeSections(int wanted)
    {
        if (!IsOpen || _buffers.Receive is null) return [];
        var sections = new int[Math.Min(wanted, _rx.Available)];
        for (var i = 0; i < sections.Length; i++) sections[i] = _rx.Pool.Cede();
        return sections;
    }

    /// <summary>Takes sections of another queue.</summary>
    public void AdoptSections(BufferSet buffers, int[] sections)
    {
        // They belong to a buffer that may be gone by now.
        if (!IsOpen || !ReferenceEquals(buffers.Receive, _buffers.Receive)) return;
        foreach (var section in sections) _rx.Pool.Adopt(section);
        Reconnect();
        if (_rx.Wanted) Post();
    }

    private bool Complete(ulong transaction) => _rx.Complete(transaction) || (Index == 0 && _control.Complete(transaction));

    private void TakeControl(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> payload, in PacketDescriptor descriptor, NvspType type, bool isRndis)
    {
        _nvsp.AsSpan().Clear();
        payload[..Math.Min(payload.Length, _nvsp.Length)].CopyTo(_nvsp);
        var length = 0;
        if (isRndis)
        {
            var total = _tx.Gather(packet, descriptor, _buffers, _channel!.Ram.Map);
            if (total is < 8 or > MaxControl)
            {
                Fail($"an RNDIS control message of {total} bytes");
                return;
            }
            length = _tx.CopyStream(_rndis);
        }
        var fault = _owner.Control(new ControlPacket(type, _nvsp, _rndis.AsSpan(0, length), descriptor.WantsCompletion, descriptor.TransactionId));
        if (fault is not null) Fail(fault);
    }

    private void SendAnswers()
    {
        while (_answers.Count > 0 && _control.Available > 0 && _out!.HasRoom(s_control))
        {
            var answer = _answers.Dequeue();
            var section = _control.Take();
            _rx.WriteControl(section, answer);
            _control.Sent([section]);
        }
    }
}
