namespace NicHost.Probe.Stack;

/// <content>Answers that wait for a neighbour or for room: the question will not come again just because we were not ready.</content>
public sealed unsafe partial class ProbeStack
{
    private const int MaxWaiting = 64;

    private readonly Queue<WaitingAnswer> _answers = new();

    private sealed record WaitingAnswer(Ip Source, Ip Destination, byte Protocol, byte[] Payload, int ChecksumOffset, ChecksumKind Checksum);

    private void Answer(ref OutPacket packet)
    {
        if (SendIp(ref packet) || _answers.Count == MaxWaiting) return;
        _answers.Enqueue(new WaitingAnswer(
            packet.Source, packet.Destination, packet.Protocol, [.. packet.Header, .. packet.Body], packet.ChecksumOffset, packet.Checksum));
    }

    private void SendAnswers()
    {
        while (_answers.TryPeek(out var answer))
        {
            var packet = new OutPacket
            {
                Source = answer.Source,
                Destination = answer.Destination,
                Protocol = answer.Protocol,
                Header = answer.Payload.AsSpan(0, 8),
                Body = answer.Payload.AsSpan(8),
                ChecksumOffset = answer.ChecksumOffset,
                Checksum = answer.Checksum,
            };
            if (!SendIp(ref packet)) return;
            _answers.Dequeue();
        }
    }
}
