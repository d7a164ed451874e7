using System.Buffers.Binary;
using NicHost.Linux;
using NicHost.Virtio.Net;

namespace NicHost.Virtio.VhostUser;

/// <content>
/// What each request does. A handler returns why it refuses, or null. A refusal is a non-zero acknowledgement where one was asked for, else the
/// end of the connection: the protocol has no other way to say no.
/// </content>
internal sealed partial class Session
{
    private void Dispatch()
    {
        var request = _reader.Header.Request;
        LastRequest = _host.Loop.NowMilliseconds;
        if (_host.Log.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Debug))
            Log.Received(_host.Log, MessageShape.Name(request), Convert.ToHexStringLower(_reader.Payload), _reader.FdCount);
        switch (request)
        {
            case Request.GetFeatures: Reply((ulong)_host.Offered); break;
            case Request.GetProtocolFeatures: Reply((ulong)_host.OfferedProtocol); break;
            case Request.GetQueueNum: Reply((ulong)_host.Pairs.Count); break;
            case Request.GetMaxMemSlots: Reply(MemoryTable.MaxSlots); break;
            case Request.GetStatus: Reply(_status); break;
            case Request.GetConfig: ReplyConfig(); break;
            case Request.GetVringBase: ReplyVringBase(); break;
            default: Finish(Carry(request)); break;
        }
    }

    private string? Carry(Request request) => request switch
    {
        Request.SetOwner => null,
        Request.SetFeatures => SetFeatures((NetFeatures)U64()),
        Request.SetProtocolFeatures => SetProtocolFeatures((ProtocolFeatures)U64()),
        Request.SetMemTable => SetMemTable(),
        Request.AddMemReg => _memory.Add(MemoryRegionInfo.Read(_reader.Payload[8..]), _reader.FirstFd!),
        Request.RemMemReg => _memory.Remove(MemoryRegionInfo.Read(_reader.Payload[8..]), _dropped),
        Request.SetVringNum => SetVringNum(),
        Request.SetVringAddr => SetVringAddr(),
        Request.SetVringBase => SetVringBase(),
        Request.SetVringKick or Request.SetVringCall or Request.SetVringErr => SetVringFd(request),
        Request.SetVringEnable => SetVringEnable(),
        Request.VringKick => KickByMessage(),
        Request.NetSetMtu => SetMtu(U64()),
        Request.SetBackendReqFd => SetBackendChannel(_reader.TakeFd()!),
        Request.SetConfig => CheckConfigRange(),
        Request.SetStatus => SetStatus(U64()),
        Request.ResetDevice => Reset(),
        // The specification advises to take it as "disable all rings" or as nothing; a front-end that means a reset has RESET_DEVICE.
        Request.ResetOwner => DisableAll(),
        // Migration is not offered; a front-end that announces the guest's address anyway loses nothing when we stay silent.
        Request.SendRarp => null,
        _ => $"{MessageShape.Name(request)} is not known here",
    };

    /// <summary>Ends a request that has no reply of its own.</summary>
    private void Finish(string? refusal)
    {
        // What the header said must be kept: queues on other loops may answer later.
        var request = _reader.Header.Request;
        var needsReply = _reader.Header.NeedsReply;
        if (_ended) return;
        if (refusal is not null) Acknowledge(request, needsReply, refusal);
        else Reconcile(fault => Acknowledge(request, needsReply, fault));
    }

    private void Acknowledge(Request request, bool needsReply, string? refusal)
    {
        if (_ended) return;
        var reason = refusal is null ? null : $"{MessageShape.Name(request)}: {refusal}";
        // Asked after the request was carried out: UML wants an answer to the very request that negotiates answers.
        if (!needsReply || !_protocol.HasFlag(ProtocolFeatures.ReplyAck))
        {
            if (reason is not null) End(reason);
            return;
        }
        if (reason is not null)
        {
            _host.Backend.ReportGuestFault(reason);
            Log.Refused(_host.Log, reason);
        }
        Reply(request, refusal is null ? 0ul : 1ul);
    }

    private void Reply(ulong value) => Reply(_reader.Header.Request, value);

    private void Reply(Request request, ulong value)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, value);
        Reply(request, payload);
    }

    private void Reply(Request request, ReadOnlySpan<byte> payload)
    {
        if (!_ended && !_writer.Send((uint)request, MessageHeader.FlagReply, payload)) End(null);
    }

    private ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(_reader.Payload);

    private uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_reader.Payload[offset..]);

    private string? SetFeatures(NetFeatures features)
    {
        var extra = features & ~_host.Offered;
        if (extra != 0) return $"features that were not offered: {NetFeatureMap.Names(extra)}";
        _accepted = features;
        // Without bit 30 there is no SET_VRING_ENABLE and rings count as enabled, whatever was said before (UML's second SET_FEATURES).
        if (!features.HasFlag(NetFeatures.ProtocolFeatures))
        {
            foreach (var vring in _vrings) vring.Enable = null;
        }
        return null;
    }

    private string? SetProtocolFeatures(ProtocolFeatures features)
    {
        var extra = features & ~_host.OfferedProtocol;
        if (extra != 0) return $"protocol features that were not offered: 0x{(ulong)extra:x}";
        _protocol = features;
        return null;
    }

    private string? SetMemTable()
    {
        var payload = _reader.Payload;
        var count = U32(0);
        // Longer is allowed: User Mode Linux always sends room for two regions.
        if (count > MessageShape.MaxRegions || payload.Length < 8 + ((int)count * MessageShape.RegionBytes))
            return Fatal($"{count} regions in {payload.Length} bytes");
        if (_reader.FdCount != count) return Fatal($"{_reader.FdCount} descriptors for {count} regions");
        var infos = new List<MemoryRegionInfo>();
        var fds = new List<Fd>();
        for (var i = 0; i < count; i++)
        {
            infos.Add(MemoryRegionInfo.Read(payload[(8 + (i * MessageShape.RegionBytes))..]));
            fds.Add(_reader.TakeFd()!);
        }
        var fault = _memory.Replace(infos, fds, _dropped);
        foreach (var fd in fds) fd.Dispose();
        return fault;
    }

    private string? SetMtu(ulong mtu)
    {
        if (mtu < Contracts.Frames.FrameLimits.MinMtu || mtu > (ulong)_host.Mtu)
            return $"an MTU of {mtu}, but this NIC has {_host.Mtu}: set the NIC's \"mtu\", or the VMM's host_mtu, so that both agree";
        return null;
    }

    private string? SetBackendChannel(Fd socket)
    {
        _channel?.Dispose();
        _channel = new BackendChannel(socket, _host.Loop);
        return null;
    }

    private string? CheckConfigRange() =>
        U32(4) + 12ul == (ulong)_reader.Payload.Length && U32(0) + (ulong)U32(4) <= MessageShape.MaxConfig
            ? null : $"{U32(4)} bytes at offset {U32(0)}";

    private void ReplyConfig()
    {
        var (offset, size) = (U32(0), U32(4));
        // A zero-length answer is the protocol's way to refuse.
        if (size > MessageShape.MaxConfig || offset > MessageShape.MaxConfig - size)
        {
            Reply(Request.GetConfig, []);
            return;
        }
        Span<byte> answer = stackalloc byte[MessageShape.ConfigHeader + (int)size];
        _reader.Payload[..MessageShape.ConfigHeader].CopyTo(answer);
        _host.Config.Read((int)offset, answer[MessageShape.ConfigHeader..]);
        Reply(Request.GetConfig, answer);
        if (!NetConfig.IncludesStatus((int)offset, (int)size)) return;
        OwesConfigRead = false;
        _host.ConfigRead();
    }

    private string? SetStatus(ulong status)
    {
        _status = (byte)status;
        // Status 0 is the guest's reset (virtio 1.2, 2.1). The rings' places stay: QEMU 7.2 asks for them afterwards.
        if (_status == 0) StopAll();
        return null;
    }

    /// <summary>Memory stays: QEMU does not send regions again that were added one by one.</summary>
    private string? Reset()
    {
        _status = 0;
        StopAll();
        DisableAll();
        _host.Control.State.Reset();
        return null;
    }

    private void StopAll()
    {
        foreach (var vring in _vrings) vring.Stop(_dropped);
    }

    private string? DisableAll()
    {
        foreach (var vring in _vrings) vring.Enable = false;
        return null;
    }

    /// <summary>A message that contradicts itself ends the connection even where a refusal could be told.</summary>
    private string Fatal(string fault)
    {
        End($"{MessageShape.Name(_reader.Header.Request)}: {fault}");
        return fault;
    }
}
