using System.Text.Json;
using System.Text.Json.Nodes;
using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>The product on a sample of samples/, each of whose VMs has one NIC, eth0. Sockets lie in this host's folder.</summary>
internal sealed class DioBackend : NicHostBackend
{
    private readonly DioHost _host;
    private readonly string _sample;
    private readonly JsonObject _topology;
    private readonly bool _mayConfigure;

    public DioBackend(DioHost host, string sample, bool mayConfigure = false) : base(host, Path.GetFileNameWithoutExtension(sample))
    {
        (_host, _sample, _mayConfigure) = (host, sample, mayConfigure);
        _topology = JsonNode.Parse(File.ReadAllText(Repository.PathOf($"samples/{sample}")),
            documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!.AsObject();
        var number = 0;
        foreach (var vm in Vms)
        {
            Nic(vm)["mac"] = $"52:54:00:12:{host.Host.Name[^1] - 'a':x2}:{++number:x2}";
            Nic(vm)["device"]!["socket"] = Path.Combine(Folder, $"{vm}.sock");
        }
        Write();
    }

    public IEnumerable<string> Vms => _topology["vms"]!.AsObject().Select(vm => vm.Key);

    public override NicPlug Plug => PlugOf(Vms.First());

    protected override string Topology => _host.Sample(_sample);

    protected override bool MayConfigure => _mayConfigure;

    protected override bool IsReady => Vms.All(vm => File.Exists(PlugOf(vm).Socket));

    /// <summary>The NIC of a VM in the topology; <see cref="Write"/> makes a change of it hold.</summary>
    public JsonObject Nic(string vm) => _topology["vms"]![vm]!["nics"]!["eth0"]!.AsObject();

    public NicPlug PlugOf(string vm)
    {
        var device = Nic(vm)["device"]!;
        var transport = (string)device["kind"]! == "netvsp" ? NicTransport.Vmbus : NicTransport.VhostUser;
        return new NicPlug(transport, (string)device["socket"]!, (string)Nic(vm)["mac"]!, (int?)device["queues"] ?? 1);
    }

    public void Write() => WriteTopology(_topology.ToJsonString());

    protected override IEnumerable<string> Command() => ["env", .. _host.Environment, .. base.Command()];
}
