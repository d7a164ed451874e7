namespace NicHost.Probe.Stack;

/// <content>
/// Segments that came before their turn (RFC 9293, 3.10.7.4): kept until what is missing has come. A kernel that forwards may let frames of a flow
/// overtake each other.
/// </content>
public sealed unsafe partial class TcpConnection
{
    /// <summary>As many super-frames as the window holds.</summary>
    private const int MostEarly = CountingSink.Window / LongestSegment;

    private const int LongestSegment = 65536;

    // In the order of the stream; places are used again.
    private readonly List<(uint Sequence, byte[] Bytes, int Length)> _early = [];
    private readonly Stack<byte[]> _places = [];

    private void KeepEarly(in IpPacket packet, int offset, uint sequence, int length)
    {
        if (length == 0 || _early.Count == MostEarly || (int)(sequence + (uint)length - ReceiveSequence) > CountingSink.Window) return;
        var at = _early.Count;
        while (at > 0 && (int)(_early[at - 1].Sequence - sequence) >= 0) at--;
        // The same again, or more of it: what is missing behind it is sent again.
        if (at < _early.Count && _early[at].Sequence == sequence) return;
        var place = _places.TryPop(out var used) ? used : new byte[LongestSegment];
        packet.Frame.CopyTo(offset, place.AsSpan(0, length));
        _early.Insert(at, (sequence, place, length));
    }

    /// <summary>Takes those whose turn it is now.</summary>
    private void TakeEarly()
    {
        while (_early.Count > 0)
        {
            var (sequence, bytes, length) = _early[0];
            var behind = (int)(ReceiveSequence - sequence);
            if (behind < 0) return;
            var take = Math.Min(length - behind, _sink.Room);
            if (take > 0)
            {
                _sink.Take(bytes.AsSpan(behind, take));
                _rcvNext += take;
            }
            _early.RemoveAt(0);
            _places.Push(bytes);
        }
    }
}
