using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.Probe.Frontend;

/// <content>The back-end's own requests.</content>
public sealed unsafe partial class VhostFrontend
{
    /// <summary>CONFIG_CHANGE requests received: link changes, as a rule.</summary>
    public int ConfigChanges { get; private set; }

    /// <summary>Reads and answers what waits on the back-end's channel.</summary>
    public void ServeBackendChannel()
    {
        if (_backendChannel is null) return;
        Span<byte> message = stackalloc byte[512];
        var got = Sockets.Receive(_backendChannel.Raw, message);
        if (got.WouldBlock) return;
        if (got.Failed || got.Count == 0)
        {
            _backendChannel.Dispose();
            _backendChannel = null;
            return;
        }
        for (var at = 0; at + VhostChannel.HeaderSize <= got.Count;)
        {
            var header = message[at..];
            var request = (VhostBackendRequest)BinaryPrimitives.ReadUInt32LittleEndian(header);
            var flags = (VhostFlags)BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            if (request == VhostBackendRequest.ConfigChange) ConfigChanges++;
            if ((flags & VhostFlags.NeedReply) != 0) Acknowledge(request, request == VhostBackendRequest.ConfigChange ? 0u : 1u);
            at += VhostChannel.HeaderSize + BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        }
    }

    private void Acknowledge(VhostBackendRequest request, ulong error)
    {
        Span<byte> reply = stackalloc byte[VhostChannel.HeaderSize + 8];
        BinaryPrimitives.WriteUInt32LittleEndian(reply, (uint)request);
        BinaryPrimitives.WriteUInt32LittleEndian(reply[4..], (uint)(VhostFlags.Version1 | VhostFlags.Reply));
        BinaryPrimitives.WriteUInt32LittleEndian(reply[8..], 8);
        BinaryPrimitives.WriteUInt64LittleEndian(reply[12..], error);
        Sockets.Send(_backendChannel!.Raw, reply);
    }
}
