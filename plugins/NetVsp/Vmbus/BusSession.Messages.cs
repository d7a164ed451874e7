using NicHost.NetVsp.Wire;

namespace NicHost.NetVsp.Vmbus;

/// <content>What each VMBus message does.</content>
internal sealed partial class BusSession
{
    private const int DefaultSint = 2;

    private uint _version;
    private bool _offersRequested;
    private uint _messageVp;
    private int _messageSint = DefaultSint;

    /// <summary>The version agreed on; 0 before.</summary>
    public uint Version => _version;

    private void Take(in MessageView message)
    {
        switch (message.Type)
        {
            case MessageType.InitiateContact: InitiateContact(message); break;
            case MessageType.Unload: Reset(SendUnloadResponse); break;
            case MessageType.RequestOffers when _version != 0: RequestOffers(); break;
            case MessageType.GpadlHeader when _version != 0: BeginGpadl(message); break;
            case MessageType.GpadlBody when _version != 0: ContinueGpadl(message); break;
            case MessageType.GpadlTeardown when _version != 0: TearDownGpadl(message); break;
            case MessageType.Open when _version != 0: OpenChannel(message); break;
            case MessageType.Close when _version != 0: CloseChannel(message.U32(0)); break;
            case MessageType.Modify when _version != 0: ModifyChannel(message); break;
            case MessageType.RelIdReleased when _version != 0: ReleaseRelId(message.U32(0)); break;
            case MessageType.ConnectSocket when _version != 0: RefuseSocket(message); break;
            default: Mistake(_version == 0 ? $"{message.Type} before InitiateContact" : $"message {message.Type}, which a guest does not send"); break;
        }
    }

    private void InitiateContact(in MessageView message)
    {
        var version = message.U32(0);
        var vp = message.U32(4);
        var info = message.U64(8);
        var monitorPage = message.U64(24);
        // At any time: whatever was there before belongs to a kernel that is gone.
        Reset(() =>
        {
            _messageVp = vp;
            // Since 5.0 the field that was the interrupt page says where messages go: interrupt source, then trust level.
            _messageSint = version >= VmbusVersions.V5_0 && (byte)info is > 0 and < 16 ? (byte)info : DefaultSint;
            var supported = VmbusVersions.All.Contains(version) && version <= _bus.Settings.MaxVersion;
            if (supported)
            {
                _version = version;
                if (_monitorMode == MonitorMode.Server) StartPolling(monitorPage);
            }
            var answer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.VersionResponse);
            answer.Byte(supported ? (byte)1 : (byte)0);
            answer.Zeros(3);
            answer.U32(version >= VmbusVersions.V5_0 ? (uint)MessageConnectionSince5 : (uint)MessageConnection);
            Post(answer);
        });
    }

    /// <summary>Forgets the guest's kernel: channels stop, buffers are dropped, memory stays.</summary>
    private void Reset(Action then) => StopAll(() =>
    {
        if (_ended) return;
        StopPolling();
        DropChannels();
        _version = 0;
        _offersRequested = false;
        then();
    });

    private void SendUnloadResponse() => Post(new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.UnloadResponse));

    private void ModifyChannel(in MessageView message)
    {
        var found = TryGetChannel(message.U32(0), out var channel);
        if (found) channel.TargetVp = message.U32(4);
        else Mistake($"Modify of channel {message.U32(0)}, which is not offered");
        // Before 5.3 a guest does not expect an answer, since then it waits for one for ever.
        if (_version < VmbusVersions.V5_3) return;
        var answer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.ModifyResponse);
        answer.U32(message.U32(0));
        answer.U32(found ? VmbusStatus.Success : VmbusStatus.InvalidParameter);
        Post(answer);
    }

    /// <summary>Sockets of the host (hvsocket) are none of a NIC's business: there are none.</summary>
    private void RefuseSocket(in MessageView message)
    {
        var answer = new MessageWriter(stackalloc byte[WireFormat.MaxPayload], MessageType.ConnectSocketResult);
        answer.Raw(message.From(0)[..32]);
        answer.U32(VmbusStatus.ConnectionRefused);
        Post(answer);
    }

    private void Post(in MessageWriter message) => Send(WireKind.SynicMessage, _messageVp, (ulong)_messageSint, 0, message.Bytes);
}
