using NicHost.NetVsp.Wire;

namespace NicHost.NetVsp.Vmbus;

/// <content>Offers, and the life of channels.</content>
internal sealed partial class BusSession
{
    private const uint MaxRelId = 2047;
    private const byte MonitorIds = 128;

    private static readonly Guid s_networkInterface = new("f8615163-df3e-46c5-913f-f2d2f965ed0e");

    /// <summary>A device has come: the guest sees it appear.</summary>
    public void DeviceAdded(IChannelDevice device)
    {
        if (!_ended && _offersRequested) OfferPrimary(device);
    }

    /// <summary>A device is leaving: the guest sees it go. Its channels run no more when <paramref name="gone"/> is called.</summary>
    public void DeviceRemoved(IChannelDevice device, Action gone) => WhenIdle(() =>
    {
        foreach (var channel in _channels.Values.Where(c => c.Device == device))
        {
            if (channel.State == ChannelState.Open) StopChannel(channel);
        }
        WhenIdle(() =>
        {
            foreach (var channel in _channels.Values.Where(c => c.Device == device && c.State != ChannelState.Rescinded).ToArray()) Rescind(channel);
            gone();
        });
    });

    /// <summary>Offers subchannels of a channel that runs. Any thread.</summary>
    public bool OfferSubchannels(Channel primary, int count)
    {
        lock (_bus.Gate)
        {
            if (_ended || primary.State != ChannelState.Open) return false;
            for (var index = 1; index <= count; index++)
            {
                if (!TryOffer(primary.Device, index)) return false;
            }
            return true;
        }
    }

    private bool TryGetChannel(uint relId, out Channel channel) =>
        _channels.TryGetValue(relId, out channel!) && channel.State != ChannelState.Rescinded;

    private void RequestOffers()
    {
        _offersRequested = true;
        foreach (var device in _bus.Devices) OfferPrimary(device);
        Post(new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.AllOffersDelivered));
    }

    /// <summary>
    /// Offers a device, unless the guest still has a channel of that name: one that was taken back is there until its relid is released, and
    /// Linux takes an offer of the same name before that for the end of a hibernation.
    /// </summary>
    private void OfferPrimary(IChannelDevice device)
    {
        if (!_channels.Values.Any(c => c.Index == 0 && c.Device.Instance == device.Instance)) TryOffer(device, 0);
    }

    private bool TryOffer(IChannelDevice device, int index)
    {
        uint relId = 1;
        while (_channels.ContainsKey(relId)) relId++;
        if (relId > MaxRelId) return false;
        // Offered only when somebody looks at the page: a guest that has an id uses the page instead of the signal.
        byte? monitor = _monitorMode != MonitorMode.None && relId < MonitorIds ? (byte)relId : null;
        var channel = new Channel(this, device, relId, index, monitor);
        _channels.Add(relId, channel);

        var offer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.Offer);
        offer.Guid(s_networkInterface);
        offer.Guid(device.Instance);
        // Reserved; flags and MMIO; the device's own data.
        offer.Zeros(16 + 4 + 120);
        offer.U16((ushort)index);
        offer.U16(0);
        offer.U32(relId);
        offer.Byte(monitor ?? 0);
        offer.Byte(monitor is null ? (byte)0 : (byte)1);
        // Dedicated interrupt: the guest sets no bit in the interrupt page of old.
        offer.U16(1);
        offer.U32(channel.ConnectionId);
        Post(offer);
        return true;
    }

    private void OpenChannel(in MessageView message)
    {
        var (relId, openId, handle, vp, downstream) = (message.U32(0), message.U32(4), message.U32(8), message.U32(12), message.U32(16));
        var fault = !TryGetChannel(relId, out var channel) ? "it is not offered"
            : channel.State != ChannelState.Offered ? "it is open already"
            : channel.Index > 0 && PrimaryOf(channel)?.State != ChannelState.Open ? "its primary channel is closed"
            : channel.Place(handle, _gpadls.Find(handle), downstream);
        if (fault is not null)
        {
            Mistake($"Open of channel {relId}: {fault}");
            SendOpenResult(relId, openId, VmbusStatus.InvalidParameter);
            return;
        }
        channel.State = ChannelState.Opening;
        channel.TargetVp = vp;
        var result = false;
        var done = Awaiting(() =>
        {
            channel.State = result ? ChannelState.Open : ChannelState.Offered;
            if (!result) channel.Unplace();
            SendOpenResult(relId, openId, result ? VmbusStatus.Success : VmbusStatus.Unsuccessful);
        });
        channel.Device.Open(channel.Index, channel, ok =>
        {
            result = ok;
            done();
        });
    }

    private void CloseChannel(uint relId)
    {
        // A channel that was taken back and is closed by a guest that does not know yet: nothing runs.
        if (!_channels.TryGetValue(relId, out var channel)) Mistake($"Close of channel {relId}, which is not offered");
        else if (channel.State == ChannelState.Open)
        {
            var own = _channels.Values.Where(c => c.Device == channel.Device && c.Index > 0 && c.State != ChannelState.Rescinded);
            // The end of the primary is the end of its subchannels: a guest that opens it again asks for new ones.
            var subchannels = channel.Index == 0 ? own.ToArray() : [];
            foreach (var subchannel in subchannels.Where(s => s.State == ChannelState.Open)) StopChannel(subchannel);
            StopChannel(channel);
            WhenIdle(() =>
            {
                foreach (var subchannel in subchannels) Rescind(subchannel);
            });
        }
        else if (channel.State == ChannelState.Offered) Mistake($"Close of channel {relId}, which is not open");
    }

    private void Rescind(Channel channel)
    {
        channel.State = ChannelState.Rescinded;
        var message = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.Rescind);
        message.U32(channel.RelId);
        Post(message);
    }

    private void ReleaseRelId(uint relId)
    {
        if (!_channels.TryGetValue(relId, out var channel)) Mistake($"RelIdReleased of {relId}, which is not in use");
        else if (channel.State is ChannelState.Rescinded)
        {
            channel.DropDescriptors();
            _channels.Remove(relId);
            // The device may have come back meanwhile.
            if (channel.Index == 0 && _bus.Devices.FirstOrDefault(d => d.Instance == channel.Device.Instance) is { } device) OfferPrimary(device);
        }
        else if (channel.State == ChannelState.Open || channel.State == ChannelState.Opening) Mistake($"RelIdReleased of {relId}, whose channel is open");
        else
        {
            // A guest that gives back what nobody took: its channel is gone for this connection.
            channel.DropDescriptors();
            _channels.Remove(relId);
        }
    }

    private Channel? PrimaryOf(Channel channel) =>
        _channels.Values.FirstOrDefault(c => c.Device == channel.Device && c.Index == 0 && c.State != ChannelState.Rescinded);

    private void SendOpenResult(uint relId, uint openId, uint status)
    {
        var answer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.OpenResult);
        answer.U32(relId);
        answer.U32(openId);
        answer.U32(status);
        Post(answer);
    }
}
