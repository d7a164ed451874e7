using NicHost.Consomme.Core;
using NicHost.Consomme.Udp;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Dns;

/// <summary>
/// The guest's name server. Static names are answered at once; everything else is passed to the host's servers, many questions at a time,
/// bytes as they are, so that DNSSEC and types that nobody here knows work.
/// </summary>
internal sealed class DnsForwarder : IInspectable, IDisposable
{
    private const int MaxUdpQuery = 4096;
    private readonly NatContext _context;
    private readonly UdpEgress _egress;
    private readonly DnsServers _servers;
    private readonly HashSet<DnsQuery> _queries = [];
    private readonly List<DnsQuery> _late = [];
    private readonly ILoopTimer _timer;

    public DnsForwarder(NatContext context, UdpEgress egress, string resolvConf = ResolvConf.DefaultPath)
    {
        _context = context;
        _egress = egress;
        _servers = new DnsServers(context, new ResolvConf(resolvConf));
        _timer = context.Loop.CreateTimer(Expire);
    }

    /// <summary>Memory for one answer, used within one call.</summary>
    public byte[] Buffer => field ??= new byte[ushort.MaxValue];

    private byte[] Reply => field ??= new byte[ushort.MaxValue];

    public long Now => _context.Loop.NowMilliseconds;

    public string[] HostSearch => _servers.HostSearch(Now);

    public int InFlight => _queries.Count;

    public long Questions { get; private set; }

    public long Answers { get; private set; }

    /// <summary>Answers from the topology's own names, alone or as the beginning of an alias.</summary>
    public long AnsweredHere { get; private set; }

    public long Failures { get; private set; }

    public long Refused { get; private set; }

    /// <summary>A datagram to one of our addresses, port 53.</summary>
    public void FromGuest(ref GuestFrame frame, UdpEnd guest)
    {
        Span<byte> message = stackalloc byte[MaxUdpQuery];
        var length = frame.TransportLength - FrameWriter.UdpHeader;
        var counters = _context.Port.Counters(frame.Queue);
        if (length is < DnsView.HeaderLength or > MaxUdpQuery)
        {
            counters.DropTx(DropReason.Malformed);
            return;
        }
        message = message[..length];
        SegmentOps.CopyTo(frame.Segments, frame.TransportOffset + FrameWriter.UdpHeader, message);
        Ask(message, new UdpAsker(_egress, frame.Queue, new UdpEnd(frame.Destination, 53), guest), counters);
    }

    /// <summary>Takes a question; the answer comes to the asker at once or later. What is no question is dropped.</summary>
    public void Ask(ReadOnlySpan<byte> message, IDnsAsker asker, QueueCounters? counters)
    {
        if (!DnsView.TryParse(message, out var query) || query.IsResponse)
        {
            counters?.DropTx(DropReason.Malformed);
            return;
        }
        Questions++;
        var offset = DnsView.HeaderLength;
        if (query.Opcode != 0)
        {
            Fail(message, asker, DnsResponseCode.NotImplemented);
            return;
        }
        if (query.QuestionCount != 1 || !query.TryReadQuestion(ref offset, out _))
        {
            Fail(message, asker, DnsResponseCode.FormatError);
            return;
        }
        var length = _context.Model.Names.TryAnswer(query, Reply, asker.IsTcp, out var outside);
        if (length > 0) AnsweredHere++;
        if (length > 0 && outside is not null)
        {
            Forward(AliasAsker.Question(query, outside), new AliasAsker(asker, message.ToArray(), Reply[..length]), counters);
            return;
        }
        if (length > 0)
        {
            Answers++;
            asker.Answer(Reply.AsSpan(0, length));
            return;
        }
        Forward(message, asker, counters);
    }

    private void Forward(ReadOnlySpan<byte> message, IDnsAsker asker, QueueCounters? counters)
    {
        if (_queries.Count >= _context.Model.Limits.DnsQueries)
        {
            counters?.DropTx(DropReason.DnsLimit);
            Refused++;
            Fail(message, asker, DnsResponseCode.ServerFailure);
            return;
        }
        var forwarded = new DnsQuery(this, message, asker, _servers.InOrder(Now));
        _queries.Add(forwarded);
        Next(forwarded);
    }

    /// <summary>Notes that a server did not answer.</summary>
    public void Dead(DnsServer server) => _servers.Dead(server, Now);

    /// <summary>Asks the next server, or gives up.</summary>
    public void Next(DnsQuery query)
    {
        if (query.TryNext(_context.Loop))
        {
            Arm(query.Deadline);
            return;
        }
        End(query);
        Fail(query.Message, query.Asker, DnsResponseCode.ServerFailure);
    }

    public void Done(DnsQuery query, ReadOnlySpan<byte> answer)
    {
        Answers++;
        // Before the end: the answer may lie in the query's own memory, which stays until the call is over.
        query.Asker.Answer(answer);
        End(query);
    }

    /// <summary>Ends all questions of one asker that is gone.</summary>
    public void Forget(IDnsAsker asker)
    {
        foreach (var query in _queries)
        {
            if (query.Asker != asker) continue;
            query.Close();
            _queries.Remove(query); // allowed during enumeration since .NET Core 3
        }
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("inFlight", _queries.Count);
        writer.Value("questions", Questions);
        writer.Value("answers", Answers);
        writer.Value("records", _context.Model.Dns.Records.Count);
        writer.Value("answeredHere", AnsweredHere);
        writer.Value("failures", Failures);
        writer.Value("refusedAtLimit", Refused);
        using (writer.Section("servers")) _servers.Inspect(writer, Now);
    }

    public void Dispose()
    {
        _timer.Dispose();
        foreach (var query in _queries) query.Close();
        _queries.Clear();
    }

    private void End(DnsQuery query)
    {
        query.Close();
        _queries.Remove(query);
    }

    private void Fail(ReadOnlySpan<byte> message, IDnsAsker asker, DnsResponseCode code)
    {
        Failures++;
        DnsView.TryParse(message, out var query);
        var flags = DnsFlags.Response | DnsFlags.RecursionAvailable | (query.Flags & DnsFlags.RecursionDesired);
        var writer = new DnsWriter(Reply, query.Id, flags, code, query.Opcode);
        var offset = DnsView.HeaderLength;
        if (query.QuestionCount == 1 && query.TryReadQuestion(ref offset, out var question))
            writer.Question(message[DnsView.HeaderLength..(offset - 4)], question.Type, question.Class);
        asker.Answer(Reply.AsSpan(0, writer.Length));
    }

    private void Arm(long deadline)
    {
        // A timer that comes a little early finds nothing late and sets itself anew.
        if (!_timer.IsSet) _timer.Set(Math.Max(1, deadline - Now));
    }

    private void Expire()
    {
        _late.Clear();
        foreach (var query in _queries)
        {
            if (query.Deadline <= Now) _late.Add(query);
        }
        foreach (var query in _late)
        {
            if (!_queries.Contains(query)) continue;
            query.TimedOut();
            Next(query);
        }
        if (_queries.Count > 0) _timer.Set(Math.Max(1, _queries.Min(q => q.Deadline) - Now));
    }

    /// <summary>A guest that asked by UDP.</summary>
    private sealed class UdpAsker(UdpEgress egress, int queue, UdpEnd us, UdpEnd guest) : IDnsAsker
    {
        public bool IsTcp => false;

        public void Answer(ReadOnlySpan<byte> message) => egress.Send(queue, us, guest, message);
    }
}
