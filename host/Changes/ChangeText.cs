using System.Globalization;
using System.Text;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Changes;

/// <summary>A plan, or what came of it, as lines for people.</summary>
internal static class ChangeText
{
    private static readonly Dictionary<NicIdentity, string> NoFailures = [];

    public static string Render(ChangePlan plan, IReadOnlyDictionary<NicIdentity, string>? failures = null)
    {
        var text = new StringBuilder();
        if (plan.IsEmpty) text.Append("Nothing differs from what runs.\n");
        foreach (var vm in plan.Vms)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Sign(vm.Kind)} {vm.Name}\n");
            foreach (var nic in vm.Nics) Render(text, nic, failures ?? NoFailures);
        }
        foreach (var note in plan.Notes) text.Append(CultureInfo.InvariantCulture, $"note: {note}\n");
        return text.ToString();
    }

    private static void Render(StringBuilder text, NicChange nic, IReadOnlyDictionary<NicIdentity, string> failures)
    {
        text.Append(CultureInfo.InvariantCulture, $"  {Sign(nic.Kind)} {nic.Nic}: {What(nic)}\n");
        foreach (var member in nic.Members) text.Append(CultureInfo.InvariantCulture, $"      {Describe(member)}\n");
        if (failures.TryGetValue(nic.Nic, out var why)) text.Append(CultureInfo.InvariantCulture, $"      failed: {why}\n");
    }

    private static string What(NicChange nic) => nic.Kind switch
    {
        NicChangeKind.Add => $"a {nic.After!.Device.Kind} device on {nic.After.Endpoint.Kind}",
        NicChangeKind.Remove => $"ends ({nic.Before!.Device.Kind} on {nic.Before.Endpoint.Kind})",
        NicChangeKind.Update => "changes in place",
        NicChangeKind.Move => $"is plugged into another endpoint, since {nic.Why}; its guest sees the link go down and up",
        _ => nic.Why is null ? "starts anew; it does not run at present" : $"is made anew, since {nic.Why}; its VMM has to attach again",
    };

    private static string Describe(MemberChange member) => (member.From, member.To) switch
    {
        (null, { } to) => $"{member.Path}: + {to}",
        ({ } from, null) => $"{member.Path}: - {from}",
        var (from, to) => $"{member.Path}: {from} -> {to}",
    };

    private static string Sign(VmChangeKind kind) => kind switch
    {
        VmChangeKind.Add => "+ VM",
        VmChangeKind.Remove => "- VM",
        _ => "~ VM",
    };

    private static string Sign(NicChangeKind kind) => kind switch
    {
        NicChangeKind.Add => "+",
        NicChangeKind.Remove => "-",
        NicChangeKind.Update => "~",
        NicChangeKind.Move => ">",
        _ => "!",
    };
}
