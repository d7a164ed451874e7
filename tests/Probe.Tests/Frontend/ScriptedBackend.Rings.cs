using NicHost.Contracts.Frames;
using NicHost.Linux;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.Frontend;

/// <content>The device's side of the rings.</content>
internal sealed unsafe partial class ScriptedBackend
{
    private readonly byte[] _room = new byte[70000];

    public bool TryBegin(uint flow, int length, out Span<byte> room)
    {
        room = _room;
        return true;
    }

    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload)
    {
        byte[] frame = [.. _room.AsSpan(0, length), .. new ReadOnlySpan<byte>(tail, tailLength)];
        var header = VirtioNetHeader.From(offload);
        var ring = _rings[0];
        var left = new byte[VirtioNetHeader.Size + frame.Length];
        frame.CopyTo(left.AsSpan(VirtioNetHeader.Size));
        var start = ring.UsedNext;
        var done = 0;
        var count = (ushort)0;
        byte* first = null;
        while (done < left.Length)
        {
            if (ring.Next == Volatile.Read(ref ring.Avail[1]))
            {
                // No room for the whole: take nothing. The other side sends it again.
                ring.Next = (ushort)(ring.Next - count);
                ring.UsedNext = start;
                return;
            }
            var head = ring.Avail[2 + (ring.Next++ & (ring.Size - 1))];
            var descriptor = ring.Descriptors[head];
            var place = FromGuest(descriptor.Address, descriptor.Length);
            first = first == null ? place : first;
            var part = (int)Math.Min(descriptor.Length, left.Length - done);
            left.AsSpan(done, part).CopyTo(new Span<byte>(place, part));
            ring.SetUsed(head, (uint)part);
            done += part;
            count++;
        }
        header.BufferCount = count;
        *(VirtioNetHeader*)first = header;
        ring.Publish((_features & VirtioFeatures.EventIdx) != 0);
    }

    private void Transmit(DeviceRing ring)
    {
        var events = (_features & VirtioFeatures.EventIdx) != 0;
        do
        {
            while (ring.Next != Volatile.Read(ref ring.Avail[1]))
            {
                var head = ring.Avail[2 + (ring.Next++ & (ring.Size - 1))];
                Take(ring, head);
                ring.SetUsed(head, 0);
            }
            if (events) Volatile.Write(ref ((ushort*)ring.Used)[2 + (4 * ring.Size)], ring.Next);
            Interlocked.MemoryBarrier();
        }
        while (ring.Next != Volatile.Read(ref ring.Avail[1]));
        ring.Publish(events);
    }

    private void Take(DeviceRing ring, ushort head)
    {
        var table = ring.Descriptors;
        var at = head;
        if ((table[head].Flags & RingDescriptor.Indirect) != 0)
        {
            table = (RingDescriptor*)FromGuest(table[head].Address, table[head].Length);
            at = 0;
        }
        var segments = new List<IoVec>();
        var length = 0;
        while (true)
        {
            var descriptor = table[at];
            segments.Add(new IoVec(FromGuest(descriptor.Address, descriptor.Length), (int)descriptor.Length));
            length += (int)descriptor.Length;
            if ((descriptor.Flags & RingDescriptor.Next) == 0) break;
            at = descriptor.NextIndex;
        }
        var header = *(VirtioNetHeader*)segments[0].Base;
        Assert.True(header.TryRead(out var offload));
        segments[0] = new IoVec(segments[0].Base + VirtioNetHeader.Size, segments[0].Length - VirtioNetHeader.Size);
        Stack.Receive(new RxFrame(segments.ToArray(), length - VirtioNetHeader.Size, offload));
    }

    private sealed class DeviceRing
    {
        public RingDescriptor* Descriptors;
        public ushort* Avail;
        public byte* Used;
        public int Size;
        public ushort Next;
        public ushort UsedNext;
        public int Kick = -1;
        public int Call = -1;
        public bool Running;

        public void SetUsed(uint id, uint length) =>
            ((UsedElement*)(Used + 4))[UsedNext++ & (Size - 1)] = new UsedElement { Id = id, Length = length };

        public void Publish(bool events)
        {
            var old = ((ushort*)Used)[1];
            if (old == UsedNext) return;
            Volatile.Write(ref ((ushort*)Used)[1], UsedNext);
            Interlocked.MemoryBarrier();
            var wanted = events ? RawRing.NeedsEvent(Volatile.Read(ref Avail[2 + Size]), UsedNext, old) : (Avail[0] & 1) == 0;
            if (wanted) EventFd.Signal(Call);
        }

        public void Reset()
        {
            Io.Close(Kick);
            Io.Close(Call);
            Kick = Call = -1;
            Running = false;
        }
    }
}
