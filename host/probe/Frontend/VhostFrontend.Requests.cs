using System.Buffers.Binary;
using NicHost.Linux;
using NicHost.Probe.Driver;

namespace NicHost.Probe.Frontend;

/// <content>Vrings, and the forms that requests have.</content>
public sealed unsafe partial class VhostFrontend
{
    private const ulong NoFd = 1 << 8;

    /// <summary>Sets a ring up and starts it.</summary>
    /// <param name="index">Vring: 2n receives, 2n + 1 transmits.</param>
    /// <param name="ring">The ring.</param>
    /// <param name="firstIndex">Available index from which to serve.</param>
    /// <param name="kick">Signalled by us.</param>
    /// <param name="call">Signalled by the back-end.</param>
    /// <param name="enable">Whether to enable it as well.</param>
    public void StartRing(int index, RawRing ring, ushort firstIndex, EventFd kick, EventFd call, bool enable = true)
    {
        SetRingState(VhostRequest.SetVringNum, index, (uint)ring.Size);
        SetRingState(VhostRequest.SetVringBase, index, firstIndex);
        SetRingAddresses(index, ring);
        SetRingFd(VhostRequest.SetVringCall, index, call.Raw);
        SetRingFd(VhostRequest.SetVringKick, index, kick.Raw);
        if (enable && Has(VirtioFeatures.ProtocolFeatures)) EnableRing(index, true);
    }

    /// <summary>SET_VRING_ENABLE.</summary>
    public void EnableRing(int index, bool enable) => SetRingState(VhostRequest.SetVringEnable, index, enable ? 1u : 0u);

    /// <summary>Stops a ring.</summary>
    /// <returns>The available index up to which it has been served.</returns>
    public ushort StopRing(int index)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(payload, index);
        Channel.Send(VhostRequest.GetVringBase, payload, default);
        var reply = Channel.ReceiveReply(VhostRequest.GetVringBase);
        return (ushort)(reply.Word >> 32);
    }

    /// <summary>SET_VRING_NUM, _BASE or _ENABLE.</summary>
    public void SetRingState(VhostRequest request, int index, uint value)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(payload, index);
        BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], value);
        Request(request, payload, default);
    }

    /// <summary>SET_VRING_ADDR, with user addresses.</summary>
    public void SetRingAddresses(int index, RawRing ring)
    {
        Span<byte> payload = stackalloc byte[40];
        BinaryPrimitives.WriteInt32LittleEndian(payload, index);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], (ulong)ring.Descriptors);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[16..], (ulong)ring.Used);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[24..], (ulong)ring.Avail);
        Request(VhostRequest.SetVringAddr, payload, default);
    }

    /// <summary>SET_VRING_KICK, _CALL or _ERR; a negative descriptor means none.</summary>
    public void SetRingFd(VhostRequest request, int index, int fd)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, (uint)index | (fd < 0 ? NoFd : 0));
        Request(request, payload, fd < 0 ? default : [fd]);
    }

    /// <summary>A request that is answered with a number.</summary>
    public ulong Get(VhostRequest request)
    {
        Channel.Send(request, default, default);
        return Channel.ReceiveReply(request).Word;
    }

    /// <summary>A request that carries a number.</summary>
    public void SetWord(VhostRequest request, ulong value)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, value);
        Request(request, payload, default);
    }

    /// <summary>A request without payload.</summary>
    public void Set(VhostRequest request, ReadOnlySpan<byte> payload) => Request(request, payload, default);

    /// <summary>A request that is acknowledged where REPLY_ACK is in force.</summary>
    /// <exception cref="VhostException">The back-end refused it or closed the connection.</exception>
    public void Request(VhostRequest request, ReadOnlySpan<byte> payload, ReadOnlySpan<int> fds)
    {
        var acknowledged = Has(ProtocolFeatures.ReplyAck);
        Channel.Send(request, payload, fds, acknowledged ? VhostFlags.NeedReply : VhostFlags.None);
        if (!acknowledged) return;
        var error = Channel.ReceiveReply(request).Word;
        if (error != 0) throw new VhostException($"The back-end refused {request} ({error}).");
    }
}
