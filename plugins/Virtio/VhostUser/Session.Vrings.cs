using System.Buffers.Binary;
using NicHost.Linux;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.VhostUser;

/// <content>Requests about one ring.</content>
internal sealed partial class Session
{
    private const ulong VringFdIndexMask = 0xff;
    private const ulong VringFdNone = 1 << 8;

    private Vring? VringAt(ulong index) => index < (ulong)_vrings.Length ? _vrings[index] : null;

    private string NoVring(ulong index) => $"ring {index} of a NIC with {_host.Pairs.Count} queue pairs: set \"queues\" to what the VMM uses";

    private string? SetVringNum()
    {
        if (VringAt(U32(0)) is not { } vring) return NoVring(U32(0));
        var size = U32(4);
        if (size is 0 or > SplitLayout.MaxSize || (size & (size - 1)) != 0)
            return $"size {size} is not a power of two up to {SplitLayout.MaxSize}";
        vring.Size = (int)size;
        return null;
    }

    private string? SetVringAddr()
    {
        if (VringAt(U32(0)) is not { } vring) return NoVring(U32(0));
        var payload = _reader.Payload;
        // index, flags, descriptors, used, available, log. No log: dirty logging is not offered, and some front-ends fill it with ones.
        vring.SetAddresses(
            BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(payload[16..]));
        return null;
    }

    private string? SetVringBase()
    {
        if (VringAt(U32(0)) is not { } vring) return NoVring(U32(0));
        if (U32(4) > ushort.MaxValue) return $"base {U32(4)} of a split ring";
        vring.SetBase((ushort)U32(4), _host.NextEpoch());
        return null;
    }

    private string? SetVringEnable()
    {
        if (VringAt(U32(0)) is not { } vring) return NoVring(U32(0));
        if (U32(4) > 1) return $"neither 0 nor 1 but {U32(4)}";
        vring.Enable = U32(4) == 1;
        return null;
    }

    private string? SetVringFd(Request request)
    {
        var word = U64();
        var index = word & VringFdIndexMask;
        if (VringAt(index) is not { } vring) return NoVring(index);
        var expected = (word & VringFdNone) == 0 ? 1 : 0;
        if (_reader.FdCount != expected) return Fatal($"{_reader.FdCount} descriptors where {expected} are announced");
        var fd = _reader.TakeFd();
        // Never wait for a front-end that lets its descriptor fill up.
        if (fd is not null) Io.SetNonBlocking(fd.Raw, true);
        switch (request)
        {
            case Request.SetVringCall: vring.SetCall(fd, _dropped); break;
            case Request.SetVringErr: vring.SetError(fd, _dropped); break;
            default: vring.Start(fd, fd is null && !_protocol.HasFlag(ProtocolFeatures.InbandNotifications), _host.NextEpoch(), _dropped); break;
        }
        return null;
    }

    /// <summary>In-band: the first kick also starts the ring.</summary>
    private string? KickByMessage()
    {
        if (!_protocol.HasFlag(ProtocolFeatures.InbandNotifications)) return "in-band notifications were not negotiated";
        if (VringAt(U32(0)) is not { } vring) return NoVring(U32(0));
        if (!vring.Started) vring.Start(null, poll: false, _host.NextEpoch(), _dropped);
        else KickQueue(vring.Index);
        return null;
    }

    private void KickQueue(int index)
    {
        if (HasControl && index == ControlIndex)
        {
            _host.Control.Kick();
            return;
        }
        if (index / 2 >= _host.Pairs.Count) return;
        var pair = _host.Pairs[index / 2];
        if (pair.Loop.IsCurrent) pair.Kick(index % 2 == 0);
        else pair.Loop.Post(() => pair.Kick(index % 2 == 0));
    }

    private void ReplyVringBase()
    {
        if (VringAt(U32(0)) is not { } vring)
        {
            End($"{Request.GetVringBase}: {NoVring(U32(0))}");
            return;
        }
        vring.Stop(_dropped);
        Reconcile(_ => ReplyVringState(vring));
    }

    private void ReplyVringState(Vring vring)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)vring.Index);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], vring.Position ?? vring.Base);
        Reply(Request.GetVringBase, payload);
    }
}
