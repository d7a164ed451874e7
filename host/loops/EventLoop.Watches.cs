using NicHost.Contracts.Loops;
using NicHost.Linux;

namespace NicHost.Loops;

/// <summary>Watched descriptors: epoll carries slot and generation, so that an event of a watch that is gone finds nobody.</summary>
public sealed partial class EventLoop
{
    private readonly Stack<int> _freeSlots = new();
    private Watched?[] _slots = new Watched?[16];
    private uint _generation;
    private int _slotCount;

    /// <summary>Descriptors watched at present.</summary>
    public int WatchCount => _slotCount - _freeSlots.Count;

    /// <inheritdoc/>
    public IFdWatch Watch(int fd, FdEvents events, IFdHandler handler) => Watch(fd, events, handler, null);

    internal IFdWatch Watch(int fd, FdEvents events, IFdHandler handler, NicLoop? owner)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (!IsCurrent) throw new InvalidOperationException("Descriptors are watched from the loop's own thread.");
        var slot = _freeSlots.Count > 0 ? _freeSlots.Peek() : _slotCount;
        var watch = new Watched(this, fd, slot, ++_generation, events, handler, owner);
        var added = _epoll.Add(fd, (EpollEvents)events, watch.Data);
        if (added.Failed) throw new InvalidOperationException($"Descriptor {fd} cannot be watched: {added}.");
        if (_freeSlots.Count > 0) _freeSlots.Pop();
        else _slotCount++;
        if (slot == _slots.Length) Array.Resize(ref _slots, slot * 2);
        _slots[slot] = watch;
        return watch;
    }

    private int Dispatch(int count)
    {
        var delivered = 0;
        for (var i = 0; i < count; i++)
        {
            var data = _events[i].Data;
            if (data == WakeData) continue;
            var watch = _slots[(int)(uint)data];
            if (watch is null || watch.Data != data) continue;
            delivered++;
            try { watch.Handler.OnEvents((FdEvents)(uint)_events[i].Events); }
#pragma warning disable CA1031 // whatever a plugin throws ends its NIC, not the loop
            catch (Exception e) { if (!Report(watch.Owner, e)) throw; }
#pragma warning restore CA1031
        }
        Events += delivered;
        return delivered;
    }

    private void Remove(Watched watch)
    {
        _slots[watch.Slot] = null;
        _freeSlots.Push(watch.Slot);
        // Fails when the owner closed the descriptor first; the kernel has then removed it.
        if (!_closed) _epoll.Remove(watch.Fd);
    }

    private void RemoveWatches(NicLoop owner)
    {
        for (var i = 0; i < _slotCount; i++)
        {
            if (_slots[i] is { } watch && watch.Owner == owner) watch.Dispose();
        }
    }

    private sealed class Watched(EventLoop loop, int fd, int slot, uint generation, FdEvents events, IFdHandler handler, NicLoop? owner) : IFdWatch
    {
        private FdEvents _events = events;
        private bool _removed;

        public int Fd { get; } = fd;
        public int Slot { get; } = slot;
        public ulong Data { get; } = ((ulong)generation << 32) | (uint)slot;
        public IFdHandler Handler { get; } = handler;
        public NicLoop? Owner { get; } = owner;

        public FdEvents Events
        {
            get => _events;
            set
            {
                if (_removed || (value == _events && (value & FdEvents.EdgeTriggered) == 0)) return;
                _events = value;
                if (!loop._closed) loop._epoll.Modify(Fd, (EpollEvents)value, Data);
            }
        }

        public void Dispose()
        {
            if (_removed) return;
            _removed = true;
            loop.Remove(this);
        }
    }
}
